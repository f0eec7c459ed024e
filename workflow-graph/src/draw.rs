//! Drawings of a graph: Mermaid for documentation and consoles, DOT for Graphviz, text for everywhere else.
//!
//! | | Mermaid | DOT |
//! |---|---|---|
//! | input, signal | stadium, flag | oval, `cds` |
//! | output | double circle | `doublecircle` |
//! | step | rectangle | `box` |
//! | step that joins | trapezoid | `invtrapezium` |
//! | step that gathers | rectangle with double sides | `box3d` |
//! | error handler | rounded rectangle | rounded `box` |
//! | person | hexagon | `hexagon` |
//! | event | arrow | arrow |
//! | fan-out | thick arrow | bold arrow |
//! | failure, expiry | dotted arrow | dashed arrow |
//! | ask or take inside a step | line without an arrow | line without an arrow |

use std::collections::HashSet;
use std::fmt::Write;

use crate::check::Place;
use crate::flow::{Emission, Flow};
use crate::{Alternative, Catches, EventId, Graph, Param, ParamForm, Role, Step, StepId, Tool};

impl Graph {
    /// The graph as a [Mermaid](https://mermaid.js.org) flow chart.
    #[must_use]
    pub fn to_mermaid(&self) -> String {
        let drawing = Drawing::of(self);
        let mut out = String::from("flowchart TD\n");
        for node in &drawing.nodes {
            let (open, close) = node.shape.mermaid();
            line(&mut out, &format!("    {}{open}\"{}\"{close}", node.id, for_mermaid(&node.label)));
        }
        for edge in &drawing.edges {
            let (from, to, arrow) = (&edge.from, &edge.to, edge.style.mermaid());
            match &*edge.label {
                "" => line(&mut out, &format!("    {from} {arrow} {to}")),
                label => line(&mut out, &format!("    {from} {arrow}|\"{}\"| {to}", for_mermaid(label))),
            }
        }
        out
    }

    /// The graph in the language of [Graphviz](https://graphviz.org).
    #[must_use]
    pub fn to_dot(&self) -> String {
        let drawing = Drawing::of(self);
        let mut out = format!("digraph \"{}\" {{\n", for_dot(&self.name));
        for node in &drawing.nodes {
            line(
                &mut out,
                &format!("    {} [label=\"{}\", {}];", node.id, for_dot(&node.label), node.shape.dot()),
            );
        }
        for edge in &drawing.edges {
            let mut attributes = Vec::new();
            if !edge.label.is_empty() {
                attributes.push(format!("label=\"{}\"", for_dot(&edge.label)));
            }
            attributes.extend(edge.style.dot().map(str::to_owned));
            let attributes = match attributes.is_empty() {
                true => String::new(),
                false => format!(" [{}]", attributes.join(", ")),
            };
            line(&mut out, &format!("    {} -> {}{attributes};", edge.from, edge.to));
        }
        out.push_str("}\n");
        out
    }

    /// The graph as text, one line per step: its name, what it takes, what it gives.
    ///
    /// ```text
    /// price   Start<Order>                  → Priced
    /// triage  Priced                        → Stop<Receipt> | asks ApproveOrder
    /// decide  HumanResponse<ApproveOrder>   → Stop<Receipt>
    /// ```
    ///
    /// `a + b` is a join, `a | b` is one of them, `all a` gathers, `each a` fans out, `nothing` ends the branch.
    #[must_use]
    pub fn to_text(&self) -> String {
        let flow = Flow::of(self);
        let rows: Vec<[String; 3]> = flow
            .steps()
            .map(|(_, step)| {
                [for_text(&step.name), for_text(&takes(&flow, step)), for_text(&gives(&flow, step))]
            })
            .collect();
        let width = |text: &String| text.chars().count();
        let name_width = rows.iter().map(|[name, ..]| width(name)).max().unwrap_or_default();
        let takes_width = rows.iter().map(|[_, takes, _]| width(takes)).max().unwrap_or_default();
        let mut out = String::new();
        for [name, takes, gives] in &rows {
            line(&mut out, &format!("{name:name_width$}  {takes:takes_width$}  → {gives}"));
        }
        out
    }
}

fn takes(flow: &Flow<'_>, step: &Step) -> String {
    match &*step.params {
        [] => "nothing".to_owned(),
        [Param { events, form: ParamForm::One }] => flow.names(events).join(" | "),
        params => params.iter().map(|param| flow.takes(step, param)).collect::<Vec<_>>().join(" + "),
    }
}

fn gives(flow: &Flow<'_>, step: &Step) -> String {
    let mut gives: Vec<String> = step.returns.alternatives.iter().map(|it| flow.gives(it)).collect();
    if step.returns.optional || gives.is_empty() {
        gives.push("nothing".to_owned());
    }
    let mut text = gives.join(" | ");
    for tool in step.tools.iter() {
        _ = match tool {
            Tool::Emitter(point) => write!(text, ", sends each {}", flow.one_of(flow.graph.items(*point))),
            Tool::Asker(prompt) => write!(text, ", asks {} inside", flow.payload(*prompt)),
            Tool::Inbox(signal) => write!(text, ", takes {} inside", flow.one_of(&[*signal])),
        };
    }
    text
}

impl Flow<'_> {
    fn takes(&self, step: &Step, param: &Param) -> String {
        let events = self.one_of(&param.events);
        match param.form {
            ParamForm::One => events,
            ParamForm::Gather { failures } => {
                let failures = if failures { " or failed" } else { "" };
                format!("{} {events}{failures}", how_many(step))
            }
            ParamForm::Failed => match &step.options.catches {
                Some(Catches::Steps(steps)) => {
                    let names: Vec<&str> = steps
                        .iter()
                        .filter_map(|step| self.graph.step(*step))
                        .map(|step| &*step.name)
                        .collect();
                    format!("failed {}", names.join(", "))
                }
                Some(Catches::Rest) | None => "all other failures".to_owned(),
            },
        }
    }

    fn gives(&self, alternative: &Alternative) -> String {
        match *alternative {
            Alternative::One(event) => match self.graph.role(event) {
                Some(Role::Prompt { .. }) => format!("asks {}", self.payload(event)),
                _ => self.one_of(&[event]),
            },
            Alternative::Many(point) => format!("each {}", self.one_of(self.graph.items(point))),
        }
    }

    /// The name of an event; the names of several in parentheses, so that they can stand anywhere.
    fn one_of(&self, events: &[EventId]) -> String {
        match &*self.names(events) {
            [one] => (*one).to_owned(),
            names => format!("({})", names.join(" | ")),
        }
    }

    fn names(&self, events: &[EventId]) -> Vec<&str> {
        events.iter().filter_map(|event| self.graph.event(*event)).map(|event| &*event.name).collect()
    }
}

/// How much of a scope a gather waits for.
fn how_many(step: &Step) -> String {
    step.options.take.map_or("all".to_owned(), |take| format!("first {take}"))
}

/// What both pictures show.
struct Drawing {
    nodes: Vec<Node>,
    edges: Vec<Edge>,
    drawn: HashSet<Edge>,
}

struct Node {
    id: String,
    label: String,
    shape: Shape,
}

#[derive(Clone, PartialEq, Eq, Hash)]
struct Edge {
    from: String,
    to: String,
    label: String,
    style: Style,
}

#[derive(Clone, Copy)]
enum Shape {
    Start,
    Signal,
    Stop,
    Step,
    Join,
    Gather,
    Handler,
    Person,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Style {
    Event,
    FanOut,
    Failure,
    Inside,
}

impl Drawing {
    fn of(graph: &Graph) -> Self {
        let flow = Flow::of(graph);
        let mut drawing = Self { nodes: Vec::new(), edges: Vec::new(), drawn: HashSet::new() };
        for (event, it) in graph.event_ids().zip(graph.events.iter()) {
            let (shape, label) = match it.role {
                Role::Start => (Shape::Start, &*it.name),
                Role::Signal => (Shape::Signal, &*it.name),
                Role::Stop => (Shape::Stop, &*it.name),
                Role::Prompt { .. } => (Shape::Person, it.payload()),
                Role::Event | Role::Response { .. } | Role::Expired { .. } => continue,
            };
            drawing.nodes.push(Node { id: of_event(event), label: label.to_owned(), shape });
        }
        for (id, step) in flow.steps() {
            let shape = match &*step.params {
                params if params.iter().any(|param| param.form == ParamForm::Failed) => Shape::Handler,
                params if params.iter().any(Param::is_gather) => Shape::Gather,
                params if params.len() > 1 => Shape::Join,
                _ => Shape::Step,
            };
            // An arrow from every other step would hide the rest of the picture.
            let label = match &step.options.catches {
                Some(Catches::Rest) => format!("{}: all other failures", step.name),
                Some(Catches::Steps(_)) | None => step.name.to_string(),
            };
            drawing.nodes.push(Node { id: of_step(id), label, shape });
        }
        for (event, it) in graph.event_ids().zip(graph.events.iter()) {
            if let Role::Start | Role::Signal = it.role {
                drawing.reaches(&flow, &of_event(event), event, ("", ""), Style::Event);
            }
        }
        for (id, step) in flow.steps() {
            for emission in flow.emitted_by(id) {
                drawing.emits(&flow, emission);
            }
            for tool in step.tools.iter() {
                if let Tool::Asker(event) | Tool::Inbox(event) = *tool {
                    drawing.edge(of_step(id), of_event(event), "", Style::Inside);
                }
            }
            let named = |handler: &StepId| {
                graph.step(*handler).is_some_and(|it| it.options.catches != Some(Catches::Rest))
            };
            if let Some(handler) = flow.handler_of(id).filter(named) {
                drawing.edge(of_step(id), of_step(handler), "failed", Style::Failure);
            }
        }
        for event in graph.event_ids() {
            if let Some(Role::Prompt { response, expired }) = graph.role(event) {
                for (answer, label, style) in
                    [(response, "answer", Style::Event), (expired, "expired", Style::Failure)]
                {
                    if let Some(answer) = answer {
                        drawing.reaches(&flow, &of_event(event), answer, ("", label), style);
                    }
                }
            }
        }
        drawing
    }

    /// Arrows from an emission to every step that takes it, or to the end or the person it goes to.
    fn emits(&mut self, flow: &Flow<'_>, emission: &Emission) {
        let from = of_step(emission.step);
        let name = flow.one_of(&[emission.event]);
        let style = if emission.point.is_some() { Style::FanOut } else { Style::Event };
        let sends = if let Place::Tool { .. } = emission.at { "sends " } else { "" };
        match (flow.graph.role(emission.event), emission.point) {
            (Some(Role::Stop), _) => self.edge(from, of_event(emission.event), "", style),
            (Some(Role::Prompt { .. }), None) => self.edge(from, of_event(emission.event), "asks", style),
            (Some(Role::Prompt { .. }), Some(_)) => {
                self.edge(from, of_event(emission.event), "asks each", style)
            }
            _ => self.reaches(flow, &from, emission.event, (sends, &name), style),
        }
    }

    fn reaches(
        &mut self,
        flow: &Flow<'_>,
        from: &str,
        event: EventId,
        (verb, what): (&str, &str),
        style: Style,
    ) {
        for taken in flow.acceptances(event) {
            let label = match (taken.form, flow.graph.step(taken.slot.step), style) {
                (ParamForm::Gather { .. }, Some(step), _) => format!("{verb}{} {what}", how_many(step)),
                (_, _, Style::FanOut) => format!("{verb}each {what}"),
                _ => format!("{verb}{what}"),
            };
            self.edge(from.to_owned(), of_step(taken.slot.step), label.trim_end(), style);
        }
    }

    fn edge(&mut self, from: String, to: String, label: &str, style: Style) {
        let edge = Edge { from, to, label: label.to_owned(), style };
        if self.drawn.insert(edge.clone()) {
            self.edges.push(edge);
        }
    }
}

fn of_step(step: StepId) -> String {
    format!("s{}", step.0)
}

fn of_event(event: EventId) -> String {
    format!("e{}", event.0)
}

impl Shape {
    const fn mermaid(self) -> (&'static str, &'static str) {
        match self {
            Self::Start => ("([", "])"),
            Self::Signal => (">", "]"),
            Self::Stop => ("(((", ")))"),
            Self::Step => ("[", "]"),
            Self::Join => ("[\\", "/]"),
            Self::Gather => ("[[", "]]"),
            Self::Handler => ("(", ")"),
            Self::Person => ("{{", "}}"),
        }
    }

    const fn dot(self) -> &'static str {
        match self {
            Self::Start => "shape=oval",
            Self::Signal => "shape=cds",
            Self::Stop => "shape=doublecircle",
            Self::Step => "shape=box",
            Self::Join => "shape=invtrapezium",
            Self::Gather => "shape=box3d",
            Self::Handler => "shape=box, style=rounded",
            Self::Person => "shape=hexagon",
        }
    }
}

impl Style {
    const fn mermaid(self) -> &'static str {
        match self {
            Self::Event => "-->",
            Self::FanOut => "==>",
            Self::Failure => "-.->",
            Self::Inside => "---",
        }
    }

    const fn dot(self) -> Option<&'static str> {
        match self {
            Self::Event => None,
            Self::FanOut => Some("style=bold"),
            Self::Failure => Some("style=dashed"),
            Self::Inside => Some("dir=none"),
        }
    }
}

fn line(out: &mut String, text: &str) {
    out.push_str(text);
    out.push('\n');
}

/// Mermaid reads entity codes in quoted labels. Everything that means something to it, to Markdown or to
/// HTML is written as one.
fn for_mermaid(text: &str) -> String {
    let mut out = String::new();
    for letter in text.chars() {
        match letter {
            '"' => out.push_str("#quot;"),
            '&' => out.push_str("#amp;"),
            '<' => out.push_str("#lt;"),
            '>' => out.push_str("#gt;"),
            '#' | '`' | '|' | '\\' | '*' | ';' | '[' | ']' | '{' | '}' => {
                _ = write!(out, "#{};", u32::from(letter))
            }
            letter if letter.is_control() => out.push(' '),
            letter => out.push(letter),
        }
    }
    out
}

fn for_dot(text: &str) -> String {
    let mut out = String::new();
    for letter in text.chars() {
        match letter {
            '"' | '\\' => out.extend(['\\', letter]),
            letter if letter.is_control() => out.push(' '),
            letter => out.push(letter),
        }
    }
    out
}

/// A line of its own stays one, also where a name came over the wire.
fn for_text(text: &str) -> String {
    text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect()
}

#[cfg(test)]
mod tests {
    use crate::build::{AlternativeDecl, Builder, StepDecl};
    use crate::sketch::graph;
    use crate::{Graph, Param, ParamForm};

    fn checkout() -> Graph {
        graph(
            "price: Start<Order> -> Priced
             triage: Priced -> Stop<Receipt> | ?ApproveOrder
             decide: HumanResponse<ApproveOrder> -> Stop<Receipt>",
        )
    }

    fn everything() -> Graph {
        graph(
            "plan: Start -> Plan with Asker<Budget>
             split: Plan -> Vec<Task|Note> | None
             work: Task -> Done | ?Help with Emitter<Line>
             helped: HumanResponse<Help> -> Done
             alone: Expired<Help> -> ()
             log: Line -> () with Inbox<Quiet>
             merge: Plan, Vec!<Done|Note> -> Stop
             fast [take=2]: Vec<Done> -> ()
             both: Task, Line -> ()
             close: Signal<Close> -> Stop
             retry [catches=work,split]: Failed -> ()
             rest: Failed -> ()",
        )
    }

    #[test]
    fn text_is_aligned() {
        assert_eq!(
            checkout().to_text(),
            "price   Start<Order>                 → Priced\n\
             triage  Priced                       → Stop<Receipt> | asks ApproveOrder\n\
             decide  HumanResponse<ApproveOrder>  → Stop<Receipt>\n"
        );
    }

    #[test]
    fn text_tells_all_forms_apart() {
        assert_eq!(everything().to_text(), include_str!("drawn/everything.txt"));
    }

    #[test]
    fn mermaid_draws_a_question() {
        assert_eq!(checkout().to_mermaid(), include_str!("drawn/checkout.mmd"));
    }

    #[test]
    fn mermaid_tells_all_forms_apart() {
        assert_eq!(everything().to_mermaid(), include_str!("drawn/everything.mmd"));
    }

    #[test]
    fn dot_tells_all_forms_apart() {
        assert_eq!(everything().to_dot(), include_str!("drawn/everything.dot"));
    }

    #[test]
    fn names_are_escaped() {
        let mut builder = Builder::new("Say \"hi\"");
        let start = builder.start("Vec<&'static str>");
        let odd = builder.event("a|b\"c\\d`e#f\ng");
        let mut step = StepDecl::new("r#type");
        step.params.push(Param::new(ParamForm::One, [start, odd]));
        step.returns.alternatives.push(AlternativeDecl::One(odd));
        builder.step(step);
        let graph = builder.build();
        assert_eq!(graph.to_mermaid(), include_str!("drawn/escaped.mmd"));
        assert_eq!(graph.to_dot(), include_str!("drawn/escaped.dot"));
        assert_eq!(graph.to_text(), include_str!("drawn/escaped.txt"));
    }

    #[test]
    fn an_empty_graph_is_an_empty_drawing() {
        let graph = Builder::new("Empty").build();
        assert_eq!(graph.to_mermaid(), "flowchart TD\n");
        assert_eq!(graph.to_dot(), "digraph \"Empty\" {\n}\n");
        assert_eq!(graph.to_text(), "");
    }
}
