//! The open questions of a run.

use std::fmt;

use serde::Serialize;

use super::error::PendingError;
use super::id::RunId;
use crate::engine::Time;
use crate::event::RequestId;
use crate::workflow::{AskedBy, Workflow};

/// An open question, whatever its prompt.
#[derive(Serialize)]
#[serde(bound = "")]
#[non_exhaustive]
pub struct Question<W: Workflow> {
    /// The run that asks. It is not serialised: whoever reads of a question knows of which run.
    #[serde(skip)]
    pub run: RunId,
    /// Its id, under which it is answered.
    pub id: RequestId,
    /// The step that asks.
    pub step: &'static str,
    /// What is asked.
    pub prompt: W::Prompt,
    /// When it was asked.
    pub asked_at: Time,
    /// When it closes, if nobody has answered.
    pub expires_at: Option<Time>,
}

impl<W: Workflow> Question<W> {
    /// The question as a `Q`, if it is one.
    #[must_use]
    pub fn ask<Q: AskedBy<W>>(&self) -> Option<Ask<Q>> {
        let prompt = Q::pick(&self.prompt)?.clone();
        let Self { id, step, asked_at, expires_at, .. } = *self;
        Some(Ask { run: self.run.clone(), id, step, prompt, asked_at, expires_at })
    }
}

impl<W: Workflow> Clone for Question<W> {
    fn clone(&self) -> Self {
        Self { run: self.run.clone(), prompt: self.prompt.clone(), ..*self }
    }
}

/// Shows the wire form, because the author's prompts need not be `Debug`.
impl<W: Workflow> fmt::Debug for Question<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&serde_json::to_string(self).map_err(|_| fmt::Error)?)
    }
}

/// An open question of one type: what [`Run::respond`](crate::Run::respond) needs to take an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Ask<Q> {
    /// The run that asks, and that takes the answer.
    pub run: RunId,
    /// Its id.
    pub id: RequestId,
    /// The step that asks.
    pub step: &'static str,
    /// What is asked.
    pub prompt: Q,
    /// When it was asked.
    pub asked_at: Time,
    /// When it closes, if nobody has answered.
    pub expires_at: Option<Time>,
}

/// The questions of a run that were open at one moment, oldest first.
pub struct Pending<W: Workflow> {
    pub(super) run: RunId,
    pub(super) questions: Vec<Question<W>>,
}

impl<W: Workflow> Clone for Pending<W> {
    fn clone(&self) -> Self {
        Self { run: self.run.clone(), questions: self.questions.clone() }
    }
}

impl<W: Workflow> fmt::Debug for Pending<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pending").field("run", &self.run).field("questions", &self.questions).finish()
    }
}

impl<W: Workflow> Pending<W> {
    /// The only open `Q`.
    ///
    /// # Errors
    /// None is open, or several.
    pub fn one<Q: AskedBy<W>>(&self) -> Result<Ask<Q>, PendingError> {
        let mut found = self.all::<Q>();
        match (found.pop(), found.len()) {
            (Some(ask), 0) => Ok(ask),
            (_, others) => {
                let open = if others == 0 { 0 } else { others + 1 };
                Err(PendingError { run: self.run.clone(), prompt: short_type_name::<Q>(), open })
            }
        }
    }

    /// Every open `Q`, oldest first.
    #[must_use]
    pub fn all<Q: AskedBy<W>>(&self) -> Vec<Ask<Q>> {
        self.questions.iter().filter_map(Question::ask).collect()
    }

    /// How many questions are open.
    #[must_use]
    pub fn len(&self) -> usize {
        self.questions.len()
    }

    /// Whether no question is open.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.questions.is_empty()
    }

    /// The questions, oldest first.
    pub fn iter(&self) -> std::slice::Iter<'_, Question<W>> {
        self.questions.iter()
    }
}

impl<W: Workflow> IntoIterator for Pending<W> {
    type Item = Question<W>;
    type IntoIter = std::vec::IntoIter<Question<W>>;

    fn into_iter(self) -> Self::IntoIter {
        self.questions.into_iter()
    }
}

impl<'a, W: Workflow> IntoIterator for &'a Pending<W> {
    type Item = &'a Question<W>;
    type IntoIter = std::slice::Iter<'a, Question<W>>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

fn short_type_name<T>() -> &'static str {
    let name = std::any::type_name::<T>();
    let path = name.split('<').next().unwrap_or(name);
    name.get(path.rfind("::").map_or(0, |at| at + 2)..).unwrap_or(name)
}
