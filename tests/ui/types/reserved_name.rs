use workflow_runtime::prelude::*;

mod mine {
    #[workflow_runtime::event]
    pub struct Start<T>(pub T);

    pub struct Vec<T>(pub T);

    pub enum OneOf<A, B> {
        A(A),
        B(B),
    }

    pub enum Result<T> {
        Ok(T),
    }
}

#[event]
struct Left;

#[event]
struct Right;

struct Flow;

#[workflow]
impl Flow {
    #[step]
    fn begin(&self, _: mine::Start<u8>) -> mine::OneOf<Left, Right> {
        mine::OneOf::A(Left)
    }

    #[step]
    fn left(&self, _: Left) -> mine::Vec<Right> {
        mine::Vec(Right)
    }

    #[step]
    fn end(&self, _: Right) -> mine::Result<Stop> {
        mine::Result::Ok(Stop(()))
    }
}

fn main() {}
