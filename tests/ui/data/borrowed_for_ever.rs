//! What lives for ever here does not in the process that loads it. The type is reported once, and not where it is used.

use workflow_runtime::prelude::*;

#[data]
struct Order {
    name: &'static str,
    lines: Vec<(u8, &'static str)>,
    #[serde(skip)]
    logo: &'static str,
}

#[event]
enum Priced {
    Plain(&'static [u64]),
}

#[prompt(response = bool)]
struct Sure<'a> {
    about: &'a str,
}

struct Flow;

#[workflow]
impl Flow {
    #[step]
    fn begin(&self, Start(order): Start<Order>) -> Priced {
        drop(order);
        Priced::Plain(&[1, 2])
    }

    #[step]
    async fn end(&self, priced: Priced, person: Asker<Sure<'static>>) -> Result<Stop<Order>, StepError> {
        drop(priced);
        let _ = person.ask(Sure { about: "it" }).await?;
        Ok(Stop(Order { name: "", lines: Vec::new(), logo: "" }))
    }
}

struct Words;

#[workflow]
impl Words {
    #[step]
    fn begin(&self, _: Start<&'static str>) -> Stop<Vec<&'static str>> {
        Stop(Vec::new())
    }
}

fn main() {
    drop(Flow.run(Order { name: "", lines: Vec::new(), logo: "" }));
}
