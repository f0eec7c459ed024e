//! Graphs for tests, written as text: a line per step, `name: takes -> gives`.
//!
//! ```text
//! split: Start -> Vec<Task|Note> | ?Approve      // ?Q is InputRequired<Q>
//! work: Task -> Done | None                      // None is Option<..>
//! merge: Plan, Vec<Done> -> Stop                 // a join with a gather
//! many: Vec!<Done> -> () with Emitter<A>, Asker<Q>, Inbox<T>     // Vec! takes failures
//! catch [catches=work,split take=2 skip=join]: Failed -> Stop
//! ```

use crate::build::{AlternativeDecl, Builder, ReturnsDecl, StepDecl, ToolDecl};
use crate::{Catches, EventId, Graph, Param, ParamForm, StepId};

pub(crate) fn graph(text: &str) -> Graph {
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let name_of = |line: &str| line.split([' ', ':']).next().unwrap().to_owned();
    let names: Vec<String> = lines.iter().map(|line| name_of(line)).collect();
    let mut builder = Builder::new("Sketch");
    for line in lines {
        let (head, rest) = line.split_once(": ").unwrap();
        let (params, rest) = rest.split_once(" -> ").unwrap();
        let (returns, tools) = rest.split_once(" with ").unwrap_or((rest, ""));
        let mut step = StepDecl::new(name_of(line));
        step.params = split(params, ',').map(|param| self::param(&mut builder, param)).collect();
        step.tools = split(tools, ',').map(|tool| self::tool(&mut builder, tool)).collect();
        step.returns = self::returns(&mut builder, returns);
        if let Some((_, options)) = head.split_once('[') {
            options.trim_end_matches(']').split(' ').for_each(|option| set(&mut step, option, &names));
        }
        builder.step(step);
    }
    builder.build()
}

/// The number of a step.
pub(crate) fn step(graph: &Graph, name: &str) -> StepId {
    graph.step_named(name).unwrap()
}

fn set(step: &mut StepDecl, option: &str, names: &[String]) {
    let (key, value) = option.split_once('=').unwrap();
    let options = &mut step.options;
    match key {
        "catches" => {
            let number = |name: &str| StepId(names.iter().position(|it| it == name).unwrap() as u16);
            let steps: Vec<StepId> = value.split(',').filter(|name| !name.is_empty()).map(number).collect();
            options.catches = Some(Catches::Steps(steps.into()));
        }
        "take" => options.take = value.parse().ok(),
        "workers" => options.workers = value.parse().ok(),
        "max_recoveries" => options.max_recoveries = value.parse().ok(),
        "cancel_rest" => options.cancel_rest = value == "true",
        "was" => step.was = Some(value.to_owned()),
        "skip" => match value {
            "reachability" => options.skip.reachability = true,
            "dead_end" => options.skip.dead_end = true,
            "outside" => options.skip.outside = true,
            "join" => options.skip.join = true,
            other => panic!("no rule {other}"),
        },
        other => panic!("no option {other}"),
    }
}

fn param(builder: &mut Builder, text: &str) -> Param {
    if let Some(items) = inside(text, "Vec") {
        return Param::new(ParamForm::Gather { failures: false }, events(builder, items));
    }
    if let Some(items) = inside(text, "Vec!") {
        return Param::new(ParamForm::Gather { failures: true }, events(builder, items));
    }
    match (text, inside(text, "Failed")) {
        ("Failed", _) => Param::new(ParamForm::Failed, []),
        (_, Some(input)) => Param::new(ParamForm::Failed, events(builder, input)),
        _ => Param::new(ParamForm::One, events(builder, text)),
    }
}

fn tool(builder: &mut Builder, text: &str) -> ToolDecl {
    if let Some(items) = inside(text, "Emitter") {
        return ToolDecl::Emitter(events(builder, items));
    }
    match (inside(text, "Asker"), inside(text, "Inbox")) {
        (Some(question), _) => ToolDecl::Asker(builder.prompt(question)),
        (_, Some(signal)) => ToolDecl::Inbox(builder.signal(signal)),
        _ => panic!("no tool {text}"),
    }
}

fn returns(builder: &mut Builder, text: &str) -> ReturnsDecl {
    let mut returns = ReturnsDecl::default();
    for alternative in split(text, '|') {
        match (alternative, inside(alternative, "Vec")) {
            ("()" | "None", _) => returns.optional = true,
            (_, Some(items)) => {
                let items = events(builder, items);
                returns.alternatives.push(AlternativeDecl::Many(items));
            }
            (one, None) => {
                let event = event(builder, one);
                returns.alternatives.push(AlternativeDecl::One(event));
            }
        }
    }
    returns
}

fn events(builder: &mut Builder, text: &str) -> Vec<EventId> {
    split(text, '|').map(|name| event(builder, name)).collect()
}

fn event(builder: &mut Builder, name: &str) -> EventId {
    match (name, name.split_once('<')) {
        ("Start", _) => builder.start("()"),
        ("Stop", _) => builder.stop("()"),
        ("Nothing", _) => EventId(u16::MAX),
        (name, Some((form, payload))) => {
            let payload = payload.strip_suffix('>').unwrap();
            match form {
                "Start" => builder.start(payload),
                "Stop" => builder.stop(payload),
                "Signal" => builder.signal(payload),
                "HumanResponse" => builder.response(payload),
                "Expired" => builder.expired(payload),
                _ => builder.event(name),
            }
        }
        (name, None) => match name.strip_prefix('?') {
            Some(question) => builder.prompt(question),
            None => builder.event(name),
        },
    }
}

fn inside<'t>(text: &'t str, form: &str) -> Option<&'t str> {
    text.strip_prefix(form)?.strip_prefix('<')?.strip_suffix('>')
}

/// Splits outside `<..>`.
fn split(text: &str, at: char) -> impl Iterator<Item = &str> {
    let mut depth = 0;
    let parts = text.split(move |letter| {
        depth += i32::from(letter == '<') - i32::from(letter == '>');
        letter == at && depth == 0
    });
    parts.map(str::trim).filter(|part| !part.is_empty())
}
