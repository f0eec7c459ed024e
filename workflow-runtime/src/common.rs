//! What many hold together.

use std::ops::Deref;
use std::sync::Arc;

/// A value that is shared. One without size, such as `()`, takes no memory until somebody asks for a share of it.
#[derive(Clone)]
pub(crate) enum Common<T> {
    /// A box of what has no size is not allocated.
    Sizeless(Box<T>),
    Shared(Arc<T>),
}

impl<T: Clone> Common<T> {
    pub(crate) fn of(value: T) -> Self {
        if size_of::<T>() == 0 { Self::Sizeless(Box::new(value)) } else { Self::Shared(Arc::new(value)) }
    }

    /// A share of it.
    pub(crate) fn share(&self) -> Arc<T> {
        match self {
            Self::Sizeless(value) => Arc::new(T::clone(value)),
            Self::Shared(value) => Arc::clone(value),
        }
    }
}

impl<T> Deref for Common<T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        match self {
            Self::Sizeless(value) => value,
            Self::Shared(value) => value,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::Common;

    #[test]
    fn what_has_a_size_is_shared() {
        let common = Common::of(1);
        assert!(Arc::ptr_eq(&common.share(), &common.clone().share()));
        assert_eq!((*common, *Common::Shared(Arc::new(2))), (1, 2));
    }

    #[test]
    fn what_has_none_is_there_as_well() {
        let common = Common::of(());
        assert!(matches!(common, Common::Sizeless(_)));
        assert_eq!((*common, *common.share()), ((), ()));
    }
}
