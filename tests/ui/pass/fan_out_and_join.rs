//! What steps get is what was meant for them: by value, by reference, either, gathered, joined, sent.

use std::sync::Arc;

use workflow_runtime::prelude::*;

#[event]
struct Row {
    number: u32,
}

#[event]
struct Price(u32);

#[event]
struct Limit(u32);

#[event]
struct Fine(u32);

#[event]
struct Doubtful(u32);

#[event]
struct Summary(Vec<String>);

/// Nothing clones it.
#[derive(serde::Serialize, serde::Deserialize, Event)]
struct Line(String);

#[event]
struct Length(usize);

struct Flow;

#[workflow]
impl Flow {
    #[step]
    fn split(&self, Start(rows): Start<u32>) -> Result<Vec<Row>, String> {
        if rows > 100 { Err("too many".to_owned()) } else { Ok((0..rows).map(|number| Row { number }).collect()) }
    }

    #[step]
    async fn price(&self, row: &Row) -> Price {
        tokio::task::yield_now().await;
        Price(row.number * 10)
    }

    #[step(workers = 2)]
    async fn limit(&self, Row { number }: Row) -> Option<Limit> {
        (number != 3).then_some(Limit(number * number))
    }

    #[step]
    fn judge(&self, limit: &Limit, ctx: &Context<Self>, Price(price): Price) -> OneOf<Fine, Doubtful> {
        assert_eq!(ctx.depth(), 1);
        assert_eq!(price * price, limit.0 * 100);
        if price > limit.0 { OneOf::new(Fine(price)) } else { OneOf::new(Doubtful(price)) }
    }

    #[step]
    fn look(&self, case: OneOf<&Fine, Doubtful>) {
        match case {
            OneOf::A(Fine(price)) => assert!((10..100).contains(price)),
            OneOf::B(Doubtful(price)) => assert!(price == 0 || price >= 100),
        }
    }

    #[step]
    fn gather(&self, all: Vec<OneOf<&Fine, Doubtful>>) -> Summary {
        let name = |each: OneOf<&Fine, Doubtful>| match each {
            OneOf::A(fine) => format!("fine {}", fine.0),
            OneOf::B(Doubtful(price)) => format!("doubtful {price}"),
        };
        Summary(all.into_iter().map(name).collect())
    }

    #[step]
    async fn send(&self, Summary(lines): Summary, mut out: Emitter<OneOf<Line, Length>>) -> Result<(), String> {
        for line in lines {
            out.send(OneOf::new(Length(line.len()))).await;
            out.send(OneOf::new(Line(line))).await;
        }
        Ok(())
    }

    #[step]
    async fn end(&self, all: Vec<OneOf<&Line, Length>>) -> Stop<Vec<String>> {
        let text = |each: OneOf<&Line, Length>| match each {
            OneOf::A(line) => line.0.clone(),
            OneOf::B(Length(length)) => length.to_string(),
        };
        Stop(all.into_iter().map(text).collect())
    }
}

#[tokio::main]
async fn main() {
    let flow = Arc::new(Flow);
    let summary = flow.clone().run(5).await.unwrap();
    assert_eq!(summary, ["10", "doubtful 0", "7", "fine 10", "7", "fine 20", "7", "fine 40"].map(str::to_owned));
    assert_eq!(flow.clone().run(0).await.unwrap(), Vec::<String>::new());
    let error = flow.run(101).await.unwrap_err();
    assert!(error.to_string().contains("split"), "{error}");
}
