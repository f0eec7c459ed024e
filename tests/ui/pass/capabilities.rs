//! What a step can do while it runs, in every place where it may be written.

use workflow_runtime::prelude::*;

#[prompt(response = bool)]
struct Sure {
    about: String,
}

#[event]
struct Line(String);

#[event]
struct Note(String);

struct Letter;

#[workflow]
impl Letter {
    /// `Asker` alone asks `Text`. Two of one kind are two ways to ask the same.
    #[step]
    async fn begin(
        &self,
        _: Start,
        person: Asker,
        first: Asker<Sure>,
        second: Asker<crate::Sure>,
        mut lines: Emitter<Line>,
        mut more: Emitter<Line>,
    ) -> Result<(), StepError> {
        let about = person.text("About what?").await?;
        let one = first.ask(Sure { about: about.clone() }).await?;
        if one && second.ask(Sure { about: about.clone() }).await? {
            lines.send(Line(about.clone())).await;
            more.send(Line(about)).await;
        }
        Ok(())
    }

    /// Two inboxes of one kind share what arrives.
    #[step]
    async fn line(
        &self,
        line: Line,
        ctx: &Context<Self>,
        left: Inbox<Note>,
        right: Inbox<Note>,
    ) -> Result<Note, StepError> {
        let _ = ctx.attempt();
        let Note(left) = left.next().await;
        let Note(right) = right.next().await;
        Ok(Note(format!("{} {left} {right}", line.0)))
    }

    #[cfg(all())]
    #[step]
    async fn conditional(&self, note: Note, person: Asker<Sure>) -> Result<Stop<bool>, StepError> {
        Ok(Stop(person.ask(Sure { about: note.0 }).await?))
    }
}

/// In a workflow with parameters, about them.
struct Chat<Q, T> {
    first: Q,
    seen: std::sync::Mutex<Vec<T>>,
}

#[workflow]
impl<Q, T> Chat<Q, T>
where
    Q: Prompt<Response: workflow_runtime::Saved + Clone + Send + Sync> + workflow_runtime::Saved,
    T: workflow_runtime::Saved + Clone,
{
    #[step]
    async fn begin(&self, _: Start, person: Asker<Q>, inbox: Inbox<T>) -> Result<Stop<u64>, StepError> {
        let _ = person.ask(self.first.clone()).await?;
        let value = inbox.next().await;
        self.seen.lock().unwrap().push(value);
        Ok(Stop(1))
    }
}

fn main() {
    let _ = || Letter.run(());
    let chat = Chat { first: Sure { about: String::new() }, seen: std::sync::Mutex::new(vec![1_u8]) };
    let _ = || chat.run(());
}
