//! Types that derive `JsonSchema` are found, whatever the others do.

use workflow_runtime::prelude::*;

#[data]
#[derive(schemars::JsonSchema)]
struct Order {
    id: u64,
}

#[prompt(response = Decision)]
#[derive(schemars::JsonSchema)]
struct Approve {
    id: u64,
}

#[data]
#[derive(schemars::JsonSchema)]
enum Decision {
    Yes,
    No,
}

#[prompt(response = Plain)]
struct Other;

#[data]
struct Plain;

struct Flow;

#[workflow]
impl Flow {
    #[step]
    fn ask(&self, Start(order): Start<Order>) -> InputRequired<Approve> {
        InputRequired::new(Approve { id: order.id })
    }

    #[step]
    fn ask_again(&self, answer: HumanResponse<Approve>) -> OneOf<InputRequired<Other>, Stop<Plain>> {
        match answer.response {
            Decision::Yes => OneOf::new(Stop(Plain)),
            Decision::No => OneOf::new(InputRequired::new(Other)),
        }
    }

    #[step]
    fn end(&self, answer: HumanResponse<Other>) -> Stop<Plain> {
        Stop(answer.response)
    }
}

struct Generic<T>(T);

#[workflow]
impl<T> Generic<T> {
    #[step]
    fn end(&self, _: Start<Order>) -> Stop<bool> {
        Stop(std::mem::size_of_val(&self.0) > 0)
    }
}

fn names<W: Workflow>() -> Vec<&'static str> {
    W::schemas().iter().map(|schema| schema.name).collect()
}

#[test]
fn schemas_are_found_where_types_have_them() {
    assert_eq!(names::<Flow>(), ["Start<Order>", "InputRequired<Approve>", "HumanResponse<Approve>"]);
    assert_eq!(names::<Generic<u8>>(), ["Start<Order>", "Stop<bool>"]);
}

#[test]
fn a_schema_says_what_is_in_the_type() {
    let schemas = Flow::schemas();
    let order = schemas.first().map(|schema| schema.schema["properties"]["id"]["type"].clone());
    assert_eq!(order, Some("integer".into()));
}
