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
//!
//! An [`Overlay`] writes notes over a drawing and lets parts of it step back or stand out.

mod overlay;

use std::collections::HashSet;
use std::fmt::Write;

use crate::check::Place;
use crate::flow::{Emission, Flow};
use crate::{Alternative, Catches, Event, EventId, Graph, Param, ParamForm, Role, Step, StepId, Tool};

use overlay::Unmarked;
pub use overlay::{Element, Mark, Overlay, Tone, Way};

impl Graph {
    /// The graph as a [Mermaid](https://mermaid.js.org) flow chart.
    #[must_use]
    pub fn to_mermaid(&self) -> String {
        self.to_mermaid_with(&Unmarked)
    }

    /// The graph as a Mermaid flow chart, with marks. A caption is its title.
    #[must_use]
    pub fn to_mermaid_with(&self, overlay: &dyn Overlay) -> String {
        let drawing = Drawing::of(self, overlay);
        let mut out = String::new();
        if !drawing.caption.is_empty() {
            line(&mut out, &format!("---\ntitle: \"{}\"\n---", for_dot(&drawing.caption)));
        }
        out.push_str("flowchart TD\n");
        for node in &drawing.nodes {
            let (open, close) = node.shape.mermaid();
            let label = for_mermaid(&noted(&node.label, &node.mark));
            line(&mut out, &format!("    {}{open}\"{label}\"{close}", node.id));
        }
        for (edge, mark) in &drawing.edges {
            let (from, to, arrow) = (&edge.from, &edge.to, edge.style.mermaid());
            match &*noted(&edge.label, mark) {
                "" => line(&mut out, &format!("    {from} {arrow} {to}")),
                label => line(&mut out, &format!("    {from} {arrow}|\"{}\"| {to}", for_mermaid(label))),
            }
        }
        for tone in [Tone::Faint, Tone::Alert] {
            let Some((class, of_nodes, of_edges)) = tone.mermaid() else { continue };
            let nodes: Vec<&str> = drawing.nodes_in(tone).map(|node| &*node.id).collect();
            if !nodes.is_empty() {
                line(&mut out, &format!("    classDef {class} {of_nodes}"));
                line(&mut out, &format!("    class {} {class}", nodes.join(",")));
            }
            // Mermaid knows edges by their position only.
            let edges = drawing.edges.iter().enumerate().filter(|(_, (_, mark))| mark.tone == tone);
            let edges: Vec<String> = edges.map(|(position, _)| position.to_string()).collect();
            if !edges.is_empty() {
                line(&mut out, &format!("    linkStyle {} {of_edges}", edges.join(",")));
            }
        }
        out
    }

    /// The graph in the language of [Graphviz](https://graphviz.org).
    #[must_use]
    pub fn to_dot(&self) -> String {
        self.to_dot_with(&Unmarked)
    }

    /// The graph in the language of Graphviz, with marks. A caption is its label.
    #[must_use]
    pub fn to_dot_with(&self, overlay: &dyn Overlay) -> String {
        let drawing = Drawing::of(self, overlay);
        let mut out = format!("digraph \"{}\" {{\n", for_dot(&self.name));
        if !drawing.caption.is_empty() {
            line(&mut out, &format!("    label=\"{}\";", for_dot(&drawing.caption)));
            line(&mut out, "    labelloc=t;");
        }
        for node in &drawing.nodes {
            let (shape, style) = node.shape.dot();
            let label = format!("label=\"{}\"", for_dot(&noted(&node.label, &node.mark)));
            // Graphviz takes the last of two styles, so that they have to stand in one attribute.
            let dashed = (node.mark.tone == Tone::Faint).then_some("dashed");
            let style = match (style, dashed) {
                (Some(one), Some(other)) => Some(format!("style=\"{one},{other}\"")),
                (one, other) => one.or(other).map(|style| format!("style={style}")),
            };
            let tone = node.mark.tone.dot().map(str::to_owned);
            let attributes = [Some(label), Some(format!("shape={shape}")), style, tone].into_iter().flatten();
            let attributes = attributes.collect::<Vec<_>>().join(", ");
            line(&mut out, &format!("    {} [{attributes}];", node.id));
        }
        for (edge, mark) in &drawing.edges {
            let label = noted(&edge.label, mark);
            let label = (!label.is_empty()).then(|| format!("label=\"{}\"", for_dot(&label)));
            let style = edge.style.dot().map(str::to_owned);
            let tone = mark.tone.dot().map(str::to_owned);
            let attributes: Vec<String> = [label, style, tone].into_iter().flatten().collect();
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
        self.to_text_with(&Unmarked)
    }

    /// The graph as text, with notes: those of steps in a column of their own, those of what steps emit behind it,
    /// those of people and signals in lines of their own. A caption is the first line.
    #[must_use]
    pub fn to_text_with(&self, overlay: &dyn Overlay) -> String {
        let flow = Flow::of(self);
        let rows: Vec<[String; 4]> = flow
            .steps()
            .map(|(id, step)| {
                let note = overlay.mark(Element::Step(id)).note;
                [step.name.to_string(), note, takes(&flow, step), gives(&flow, id, step, overlay)]
                    .map(|cell| for_text(&cell))
            })
            .collect();
        let width = |cell: &str| cell.chars().count();
        let widest = |column: usize| rows.iter().map(|row| width(&row[column])).max().unwrap_or_default();
        let (names, notes, taken) = (widest(0), widest(1), widest(2));
        let mut out = String::new();
        let caption = overlay.caption();
        if !caption.is_empty() {
            line(&mut out, &for_text(&caption));
        }
        for [name, note, takes, gives] in &rows {
            let note = if notes > 0 { format!("  {note:notes$}") } else { String::new() };
            line(&mut out, &format!("{name:names$}{note}  {takes:taken$}  → {gives}"));
        }
        for (id, event) in self.event_ids().zip(self.events.iter()) {
            let mark = overlay.mark(Element::Event(id));
            if let (Some((_, label)), false) = (of_outside(event), mark.note.is_empty()) {
                line(&mut out, &for_text(&noted(label, &mark)));
            }
        }
        out
    }
}

/// A label with its note behind it.
fn noted(label: &str, mark: &Mark) -> String {
    match (label, &*mark.note) {
        (label, "") => label.to_owned(),
        ("", note) => note.to_owned(),
        (label, note) => format!("{label} {note}"),
    }
}

fn takes(flow: &Flow<'_>, step: &Step) -> String {
    match &*step.params {
        [] => "nothing".to_owned(),
        [Param { events, form: ParamForm::One }] => flow.names(events).join(" | "),
        params => params.iter().map(|param| flow.takes(step, param)).collect::<Vec<_>>().join(" + "),
    }
}

fn gives(flow: &Flow<'_>, id: StepId, step: &Step, overlay: &dyn Overlay) -> String {
    let noted = |label: &str, element| noted(label, &overlay.mark(element));
    let named =
        |event: EventId, way| noted(&flow.one_of(&[event]), Element::Emitted { step: id, event, way });
    let each = |events: &[EventId], way| {
        let known = events.iter().filter(|event| flow.graph.event(**event).is_some());
        let names: Vec<String> = known.map(|event| named(*event, way)).collect();
        match &*names {
            [one] => format!("each {one}"),
            names => format!("each ({})", names.join(" | ")),
        }
    };
    let alternatives = step.returns.alternatives.iter();
    let mut gives: Vec<String> = alternatives
        .map(|alternative| match *alternative {
            Alternative::One(event) => match flow.graph.role(event) {
                Some(Role::Prompt { .. }) => {
                    let asks = format!("asks {}", flow.payload(event));
                    noted(&asks, Element::Emitted { step: id, event, way: Way::One })
                }
                _ => named(event, Way::One),
            },
            Alternative::Many(point) => each(flow.graph.items(point), Way::Each),
        })
        .collect();
    if step.returns.optional || gives.is_empty() {
        gives.push(noted("nothing", Element::Nothing(id)));
    }
    let mut text = gives.join(" | ");
    for tool in step.tools.iter() {
        let inside = |label: &str, event| noted(label, Element::Inside { step: id, event });
        let tool = match *tool {
            Tool::Emitter(point) => format!("sends {}", each(flow.graph.items(point), Way::Sent)),
            Tool::Asker(prompt) => inside(&format!("asks {} inside", flow.payload(prompt)), prompt),
            Tool::Inbox(signal) => inside(&format!("takes {} inside", flow.one_of(&[signal])), signal),
        };
        text.push_str(", ");
        text.push_str(&tool);
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
struct Drawing<'o> {
    overlay: &'o dyn Overlay,
    caption: String,
    nodes: Vec<Node>,
    edges: Vec<(Edge, Mark)>,
    drawn: HashSet<Edge>,
}

struct Node {
    id: String,
    label: String,
    shape: Shape,
    mark: Mark,
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

impl<'o> Drawing<'o> {
    fn of(graph: &Graph, overlay: &'o dyn Overlay) -> Self {
        let flow = Flow::of(graph);
        let mut drawing = Self {
            overlay,
            caption: overlay.caption(),
            nodes: Vec::new(),
            edges: Vec::new(),
            drawn: HashSet::new(),
        };
        for (event, it) in graph.event_ids().zip(graph.events.iter()) {
            if let Some((shape, label)) = of_outside(it) {
                drawing.node(of_event(event), label.to_owned(), shape, Element::Event(event));
            }
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
            drawing.node(of_step(id), label, shape, Element::Step(id));
        }
        for (event, it) in graph.event_ids().zip(graph.events.iter()) {
            if let Role::Start | Role::Signal = it.role {
                let element = Element::Delivered(event);
                drawing.reaches(&flow, &of_event(event), event, ("", ""), Style::Event, element);
            }
        }
        for (id, step) in flow.steps() {
            for emission in flow.emitted_by(id) {
                drawing.emits(&flow, emission);
            }
            for tool in step.tools.iter() {
                if let Tool::Asker(event) | Tool::Inbox(event) = *tool {
                    let element = Element::Inside { step: id, event };
                    drawing.edge(of_step(id), of_event(event), "", Style::Inside, element);
                }
            }
            let named = |handler: &StepId| {
                graph.step(*handler).is_some_and(|it| it.options.catches != Some(Catches::Rest))
            };
            if let Some(handler) = flow.handler_of(id).filter(named) {
                drawing.edge(of_step(id), of_step(handler), "failed", Style::Failure, Element::Failure(id));
            }
        }
        for event in graph.event_ids() {
            if let Some(Role::Prompt { response, expired }) = graph.role(event) {
                for (answer, label, style) in
                    [(response, "answer", Style::Event), (expired, "expired", Style::Failure)]
                {
                    if let Some(answer) = answer {
                        let element = Element::Delivered(answer);
                        drawing.reaches(&flow, &of_event(event), answer, ("", label), style, element);
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
        let (sends, way) = match (emission.at, emission.point) {
            (Place::Tool { .. }, _) => ("sends ", Way::Sent),
            (_, Some(_)) => ("", Way::Each),
            (_, None) => ("", Way::One),
        };
        let element = Element::Emitted { step: emission.step, event: emission.event, way };
        let to = of_event(emission.event);
        match (flow.graph.role(emission.event), emission.point) {
            (Some(Role::Stop), _) => self.edge(from, to, "", style, element),
            (Some(Role::Prompt { .. }), None) => self.edge(from, to, "asks", style, element),
            (Some(Role::Prompt { .. }), Some(_)) => self.edge(from, to, "asks each", style, element),
            _ => self.reaches(flow, &from, emission.event, (sends, &name), style, element),
        }
    }

    fn reaches(
        &mut self,
        flow: &Flow<'_>,
        from: &str,
        event: EventId,
        (verb, what): (&str, &str),
        style: Style,
        element: Element,
    ) {
        for taken in flow.acceptances(event) {
            let label = match (taken.form, flow.graph.step(taken.slot.step), style) {
                (ParamForm::Gather { .. }, Some(step), _) => format!("{verb}{} {what}", how_many(step)),
                (_, _, Style::FanOut) => format!("{verb}each {what}"),
                _ => format!("{verb}{what}"),
            };
            self.edge(from.to_owned(), of_step(taken.slot.step), label.trim_end(), style, element);
        }
    }

    fn node(&mut self, id: String, label: String, shape: Shape, element: Element) {
        self.nodes.push(Node { id, label, shape, mark: self.overlay.mark(element) });
    }

    fn edge(&mut self, from: String, to: String, label: &str, style: Style, element: Element) {
        let edge = Edge { from, to, label: label.to_owned(), style };
        // Two emissions that look the same are one element: label and style say the event and the way.
        if self.drawn.insert(edge.clone()) {
            self.edges.push((edge, self.overlay.mark(element)));
        }
    }

    fn nodes_in(&self, tone: Tone) -> impl Iterator<Item = &Node> {
        self.nodes.iter().filter(move |node| node.mark.tone == tone)
    }
}

/// What stands outside of all steps, and its label.
fn of_outside(event: &Event) -> Option<(Shape, &str)> {
    Some(match event.role {
        Role::Start => (Shape::Start, &*event.name),
        Role::Signal => (Shape::Signal, &*event.name),
        Role::Stop => (Shape::Stop, &*event.name),
        Role::Prompt { .. } => (Shape::Person, event.payload()),
        Role::Event | Role::Response { .. } | Role::Expired { .. } => return None,
    })
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

    /// The shape, and the style that belongs to it.
    const fn dot(self) -> (&'static str, Option<&'static str>) {
        match self {
            Self::Start => ("oval", None),
            Self::Signal => ("cds", None),
            Self::Stop => ("doublecircle", None),
            Self::Step => ("box", None),
            Self::Join => ("invtrapezium", None),
            Self::Gather => ("box3d", None),
            Self::Handler => ("box", Some("rounded")),
            Self::Person => ("hexagon", None),
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

impl Tone {
    /// The name of its class, how nodes look, and how edges look.
    const fn mermaid(self) -> Option<(&'static str, &'static str, &'static str)> {
        match self {
            Self::Plain => None,
            Self::Faint => Some(("faint", "opacity:0.5,stroke-dasharray:4 4", "opacity:0.4,color:#999")),
            Self::Alert => Some(("alert", "stroke:#c00,stroke-width:3px", "stroke:#c00,color:#c00")),
        }
    }

    const fn dot(self) -> Option<&'static str> {
        match self {
            Self::Plain => None,
            Self::Faint => Some("color=gray, fontcolor=gray"),
            Self::Alert => Some("color=red, fontcolor=red"),
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
    use crate::draw::{Element, Mark, Overlay, Tone, Way};
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

    /// Two runs of `work`, of which one failed, and nothing of what comes after it.
    struct Marked(Graph);

    impl Overlay for Marked {
        fn mark(&self, element: Element) -> Mark {
            let event = |id| &*self.0.event(id).unwrap().name;
            let step = |id| &*self.0.step(id).unwrap().name;
            let (note, tone) = match element {
                Element::Step(id) => match step(id) {
                    "plan" | "split" => ("×1", Tone::Plain),
                    "work" => ("×2, \"1\" failed", Tone::Alert),
                    _ => ("", Tone::Faint),
                },
                Element::Event(id) => match event(id) {
                    "Start" => ("", Tone::Plain),
                    "InputRequired<Help>" => ("1 open", Tone::Plain),
                    _ => ("", Tone::Faint),
                },
                Element::Emitted { step: from, event: what, way } => match (step(from), event(what), way) {
                    ("plan", "Plan", Way::One) => ("×1", Tone::Plain),
                    ("split", "Task", Way::Each) => ("×2", Tone::Plain),
                    ("work", "InputRequired<Help>", Way::One) => ("×1", Tone::Plain),
                    ("work", "Line", Way::Sent) => ("×9", Tone::Plain),
                    _ => ("", Tone::Faint),
                },
                Element::Nothing(id) if step(id) == "split" => ("×0", Tone::Plain),
                Element::Delivered(id) if event(id) == "Start" => ("×1", Tone::Plain),
                Element::Failure(id) if step(id) == "work" => ("×1", Tone::Alert),
                Element::Inside { .. } => ("×0", Tone::Faint),
                _ => ("", Tone::Faint),
            };
            Mark { note: note.to_owned(), tone }
        }

        fn caption(&self) -> String {
            "a \"caption\"\nof one line".to_owned()
        }
    }

    #[test]
    fn text_shows_notes() {
        let overlay = Marked(everything());
        assert_eq!(everything().to_text_with(&overlay), include_str!("drawn/marked.txt"));
    }

    #[test]
    fn mermaid_shows_notes_and_tones() {
        let overlay = Marked(everything());
        assert_eq!(everything().to_mermaid_with(&overlay), include_str!("drawn/marked.mmd"));
    }

    #[test]
    fn dot_shows_notes_and_tones() {
        let overlay = Marked(everything());
        assert_eq!(everything().to_dot_with(&overlay), include_str!("drawn/marked.dot"));
    }

    #[test]
    fn a_mark_changes_nothing_but_its_element() {
        struct One(Element);
        impl Overlay for One {
            fn mark(&self, element: Element) -> Mark {
                let note = if element == self.0 { "MARK" } else { "" };
                Mark { note: note.to_owned(), tone: Tone::Plain }
            }
        }
        let graph = everything();
        for step in graph.step_ids() {
            let overlay = One(Element::Step(step));
            let drawn = [graph.to_mermaid_with(&overlay), graph.to_dot_with(&overlay)];
            assert!(drawn.iter().all(|drawn| drawn.matches(" MARK").count() == 1));
            let plain = drawn.map(|drawn| drawn.replacen(" MARK", "", 1));
            assert_eq!(plain, [graph.to_mermaid(), graph.to_dot()]);
        }
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
