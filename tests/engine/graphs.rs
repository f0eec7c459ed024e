//! Graphs in a short notation: one line a step, `name: parameters -> returns`.
//!
//! Parameters are separated by `&` (a join), alternatives by `|`. `Vec(A | B)` gathers or fans out, `?` in front
//! of the returns makes them optional, `()` returns nothing. `ask Q` returns a question, `answer Q` takes its
//! answer, `expired Q` takes one that nobody answered, and `signal A` takes a signal. `emit A` among the parameters is
//! an emitter, `asks Q` an asker, `inbox A` an inbox, `failed` an error handler (of the steps numbered in `[catches=0+2]`, else of the rest), and
//! `results A` a gather that takes failures. Options stand in brackets behind the name: `name[workers=2]`.

use workflow_runtime::graph::build::{AlternativeDecl, Builder, ReturnsDecl, StepDecl, ToolDecl};
use workflow_runtime::graph::{Catches, EventId, Graph, Param, ParamForm, StepId, StepOptions};

pub fn graph(steps: &str) -> Graph {
    let mut builder = Builder::new("Scenario");
    for line in steps.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let step = step(&mut builder, line);
        builder.step(step);
    }
    builder.build()
}

fn step(builder: &mut Builder, line: &str) -> StepDecl {
    let (head, signature) = line.split_once(':').unwrap();
    let (params, returns) = signature.split_once("->").unwrap();
    let (name, options) = head.trim_end_matches(']').split_once('[').unwrap_or((head, ""));
    let mut step = StepDecl::new(name.trim());
    step.options = self::options(options);
    step.was = options.split(',').find_map(|option| option.trim().strip_prefix("was=")).map(str::to_owned);
    for param in split(params, '&') {
        match param.split_once(' ') {
            Some(("emit", items)) => step.tools.push(ToolDecl::Emitter(events(builder, items))),
            Some(("asks", prompt)) => step.tools.push(ToolDecl::Asker(builder.prompt(prompt))),
            Some(("inbox", signal)) => step.tools.push(ToolDecl::Inbox(builder.signal(signal))),
            _ => step.params.push(self::param(builder, param)),
        }
    }
    step.returns = self::returns(builder, returns.trim());
    step
}

fn options(options: &str) -> StepOptions {
    let mut parsed = StepOptions::NONE;
    for (key, value) in options.split(',').filter_map(|option| option.trim().split_once('=')) {
        match key {
            "workers" => parsed.workers = Some(value.parse().unwrap()),
            "take" => parsed.take = Some(value.parse().unwrap()),
            "cancel_rest" => parsed.cancel_rest = value.parse().unwrap(),
            "max_recoveries" => parsed.max_recoveries = Some(value.parse().unwrap()),
            "catches" => {
                let steps = value.split('+').map(|step| StepId(step.parse().unwrap()));
                parsed.catches = Some(Catches::Steps(steps.collect::<Vec<_>>().into()));
            }
            "was" => {}
            other => panic!("no option `{other}`"),
        }
    }
    parsed
}

fn param(builder: &mut Builder, param: &str) -> Param {
    if param == "failed" {
        return Param::new(ParamForm::Failed, []);
    }
    if let Some(items) = param.strip_prefix("results ") {
        return Param::new(ParamForm::Gather { failures: true }, events(builder, items));
    }
    match inside_vec(param) {
        Some(items) => Param::new(ParamForm::Gather { failures: false }, events(builder, items)),
        None => Param::new(ParamForm::One, events(builder, param)),
    }
}

fn returns(builder: &mut Builder, returns: &str) -> ReturnsDecl {
    let (optional, returns) = match returns.strip_prefix('?') {
        Some(returns) => (true, returns.trim()),
        None => (returns == "()", returns),
    };
    let alternatives = split(returns, '|').filter(|alternative| *alternative != "()");
    let alternatives = alternatives.map(|alternative| match inside_vec(alternative) {
        Some(items) => AlternativeDecl::Many(events(builder, items)),
        None => AlternativeDecl::One(event(builder, alternative)),
    });
    ReturnsDecl { fallible: false, optional, alternatives: alternatives.collect() }
}

fn inside_vec(text: &str) -> Option<&str> {
    text.strip_prefix("Vec(")?.strip_suffix(')')
}

fn events(builder: &mut Builder, events: &str) -> Vec<EventId> {
    split(events, '|').map(|name| event(builder, name)).collect()
}

fn event(builder: &mut Builder, name: &str) -> EventId {
    match name.split_once(' ') {
        Some(("ask", prompt)) => builder.prompt(prompt),
        Some(("answer", prompt)) => builder.response(prompt),
        Some(("expired", prompt)) => builder.expired(prompt),
        Some(("signal", signal)) => builder.signal(signal),
        Some((other, _)) => panic!("`{other}` is no kind of event"),
        None if name == "Start" => builder.start("()"),
        None if name == "Stop" => builder.stop("()"),
        None => builder.event(name),
    }
}

/// Splits outside parentheses.
fn split(text: &str, at: char) -> impl Iterator<Item = &str> {
    let mut depth = 0;
    text.split(move |c: char| {
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        c == at && depth == 0
    })
    .map(str::trim)
    .filter(|part| !part.is_empty())
}
