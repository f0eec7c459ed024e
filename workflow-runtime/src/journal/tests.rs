//! Records are read as they were written, and what is no record is refused.

use serde_json::value::{RawValue, to_raw_value};
use workflow_graph::build::Builder;
use workflow_graph::{EventId, Graph, PointId};

use super::{
    Entry, GraphError, Limits, Raw, RecordError, body, fingerprint, graph_json, read, read_graph, record,
};
use crate::engine::{
    ENGINE, Emitted, InvocationId, Json as Value, Note, NoteKey, NoteKind, Payload, Tick, Time, Verdict,
};
use crate::error::{StepError, StepErrorKind};
use crate::event::{Expired, HumanResponse, InputRequired, RequestId, Text};
use crate::store::Json;
use crate::workflow::Events;

/// Events are enough: a record knows nothing of steps.
fn graph() -> Graph {
    let mut builder = Builder::new("Orders");
    builder.start("()");
    builder.event("Task");
    builder.prompt("Ok");
    builder.response("Ok");
    builder.signal("Go");
    builder.stop("()");
    builder.build()
}

fn json(text: &str) -> Json {
    RawValue::from_string(text.to_owned()).unwrap()
}

fn raw(event: &str, text: &str) -> Raw {
    Raw { event: graph().event_named(event).unwrap(), json: Value(json(text)) }
}

fn key(kind: NoteKind, name: &str, count: u32) -> NoteKey {
    NoteKey { kind, name: name.into(), count }
}

/// Writes a tick, reads it back, and gives its text without the rest of the record.
fn through(tick: Tick<Raw>) -> String {
    let graph = graph();
    let written = record(body(&graph, &tick).unwrap(), 7, None);
    let entry = read(&graph, &written).unwrap();
    assert_eq!(entry, Entry { tick, last_id: 7, state: None, limits: Limits::default() });
    let text = written.get().strip_prefix(r#"{"tick":"#).unwrap();
    text.strip_suffix(r#","last_id":7}"#).unwrap().to_owned()
}

#[test]
fn the_ticks_of_a_run_are_read_as_they_were_written() {
    let start = format!(
        r#"{{"started":{{"engine":{ENGINE},"graph":"{}","input":["Start",{{"id":1}}]}}}}"#,
        fingerprint(&graph())
    );
    assert_eq!(through(Tick::Started { input: raw("Start", r#"{"id":1}"#) }), start);
    assert_eq!(
        through(Tick::Signal { event: raw("Signal<Go>", "[1, 2]") }),
        r#"{"signal":{"event":["Signal<Go>",[1, 2]]}}"#
    );
    assert_eq!(
        through(Tick::Answered { request: RequestId(4), response: raw("HumanResponse<Ok>", r#""yes""#) }),
        r#"{"answered":{"request":4,"response":["HumanResponse<Ok>","yes"]}}"#
    );
    assert_eq!(through(Tick::Time), r#""time""#);
    let reason = "a \"reason\"".to_owned();
    assert_eq!(through(Tick::Cancelled { reason }), r#"{"cancelled":{"reason":"a \"reason\""}}"#);
    assert_eq!(through(Tick::Suspended), r#""suspended""#);
    assert_eq!(through(Tick::Resumed), format!(r#"{{"resumed":{{"engine":{ENGINE}}}}}"#));
}

#[test]
fn the_ticks_of_a_step_are_read_as_they_were_written() {
    let (invocation, attempt) = (InvocationId(3), 1);
    assert_eq!(
        through(Tick::Finished { invocation, attempt, emitted: Emitted::None }),
        r#"{"finished":{"invocation":3}}"#
    );
    assert_eq!(
        through(Tick::Finished { invocation, attempt: 2, emitted: Emitted::One(raw("Task", "1")) }),
        r#"{"finished":{"invocation":3,"attempt":2,"emitted":{"one":["Task",1]}}}"#
    );
    let emitted = Emitted::Many(PointId(1), vec![raw("Task", "1"), raw("InputRequired<Ok>", "2")]);
    assert_eq!(
        through(Tick::Finished { invocation, attempt, emitted }),
        r#"{"finished":{"invocation":3,"emitted":{"many":[1,[["Task",1],["InputRequired<Ok>",2]]]}}}"#
    );
    let error = StepError::of_kind(StepErrorKind::Panicked, "oh");
    assert_eq!(
        through(Tick::Failed { invocation, attempt, error: error.clone(), verdict: Verdict::Final }),
        r#"{"failed":{"invocation":3,"error":{"kind":"panicked","message":"oh"},"verdict":"final"}}"#
    );
    through(Tick::Failed { invocation, attempt, error, verdict: Verdict::Retry { after: 200 } });
    assert_eq!(
        through(Tick::Sent { invocation, attempt, point: PointId(1), place: 0, event: raw("Task", "1") }),
        r#"{"sent":{"invocation":3,"point":1,"place":0,"event":["Task",1]}}"#
    );
}

#[test]
fn what_a_step_notes_is_read_as_it_was_written() {
    let (invocation, attempt) = (InvocationId(3), 2);
    let noted = |key, note| through(Tick::Noted { invocation, attempt, key, note });
    let charge = key(NoteKind::Memo, "charge", 0);
    assert_eq!(
        noted(charge, Note::Memo(Value(json(r#"{"paid": true}"#)))),
        r#"{"noted":{"invocation":3,"attempt":2,"key":{"kind":"memo","name":"charge"},"note":{"memo":{"paid": true}}}}"#
    );
    noted(key(NoteKind::Sleep, "5000", 1), Note::Sleep(5_000));
    noted(key(NoteKind::Ask, r#"{"a":1}"#, 0), Note::Ask(raw("InputRequired<Ok>", r#"{"prompt":{"a":1}}"#)));
    noted(key(NoteKind::Receive, "Signal<Go>", 3), Note::Receive(raw("Signal<Go>", "0").event));
    let go = key(NoteKind::Receive, "Signal<Go>", 0);
    assert_eq!(
        through(Tick::Withdrawn { invocation, attempt, key: go }),
        r#"{"withdrawn":{"invocation":3,"attempt":2,"key":{"kind":"receive","name":"Signal<Go>"}}}"#
    );
}

#[test]
fn the_start_says_how_long_the_run_may_take_and_any_tick_what_became_of_the_state() {
    let graph = graph();
    let limits = Limits { deadline: Some(Time(90)), timeout: Some(60) };
    let start = body(&graph, &Tick::Started { input: raw("Start", "null") }).unwrap().with_limits(limits);
    let entry = read(&graph, &record(start, 2, Some(json(r#"{"sold":1}"#)))).unwrap();
    assert_eq!(entry.limits, limits);
    assert_eq!(entry.state, Some(Value(json(r#"{"sold":1}"#))));

    let other = body::<Raw>(&graph, &Tick::Time).unwrap().with_limits(limits);
    assert_eq!(read(&graph, &record(other, 2, None)).unwrap().limits, Limits::default());
}

/// An event whose value cannot be written.
#[derive(Clone)]
struct Unwritable(EventId);

impl Payload for Unwritable {
    fn event(&self) -> EventId {
        self.0
    }
}

impl Events for Unwritable {
    fn encode(&self) -> Result<Json, serde_json::Error> {
        to_raw_value(&std::collections::BTreeMap::from([(vec![1], 1)]))
    }

    fn decode(event: EventId, _: &RawValue) -> Result<Self, serde_json::Error> {
        Ok(Self(event))
    }
}

#[test]
fn a_value_that_does_not_serialise_is_named_before_anything_has_happened() {
    let tick = |event| Tick::Signal { event: Unwritable(EventId(event)) };
    let unsaved = body(&graph(), &tick(1)).unwrap_err();
    assert_eq!(unsaved.to_string(), "event `Task` does not serialise");
    assert_eq!(unsaved.source.to_string(), "key must be a string");
    let unsaved = body(&graph(), &tick(99)).unwrap_err();
    assert_eq!(unsaved.event, "event 99");
    assert_eq!(unsaved.source.to_string(), "the graph has no such event");
}

#[test]
fn what_is_no_record_is_refused() {
    let read = |text: &str| read(&graph(), &json(text)).unwrap_err();
    for text in [
        "null",
        "{}",
        r#"{"tick":"time"}"#,
        r#"{"tick":"noon","last_id":1}"#,
        r#"{"tick":{"finished":{}},"last_id":1}"#,
        r#"{"tick":{"finished":{"invocation":-1}},"last_id":1}"#,
        r#"{"tick":{"signal":{"event":["Task"]}},"last_id":1}"#,
        r#"{"tick":{"resumed":{}},"last_id":1}"#,
    ] {
        assert!(matches!(read(text), RecordError::Unreadable { .. }), "{text}");
    }
    let strange = read(r#"{"tick":{"signal":{"event":["Job",1]}},"last_id":1}"#);
    assert!(matches!(strange, RecordError::NoSuchEvent { event } if event == "Job"));
    let newer = read(r#"{"tick":{"resumed":{"engine":99}},"last_id":1}"#);
    assert!(matches!(newer, RecordError::NewerEngine { found: 99, newest: ENGINE }));
}

#[test]
fn a_question_in_its_raw_form_expires_as_in_its_own() {
    let expires = |text: &str| raw("InputRequired<Ok>", text).expires_in();
    let ask = InputRequired::text("Sure?").expires_in(std::time::Duration::from_secs(3));
    let written = serde_json::to_string(&ask).unwrap();
    assert_eq!(expires(&written), Some(3_000));
    assert_eq!(expires(&serde_json::to_string(&InputRequired::text("Sure?")).unwrap()), None);
    assert_eq!(expires(r#""no question""#), None);
    assert_eq!(expires(r#"["no question",3000]"#), None);

    let unanswered = |text: &str| raw("InputRequired<Ok>", text).unanswered(RequestId(4), EventId(9));
    assert_eq!(unanswered(&written), None);
    let ask = ask.or_answer(&"yes".to_owned());
    let answered = unanswered(&serde_json::to_string(&ask).unwrap()).unwrap();
    let own = HumanResponse { request: RequestId(4), prompt: ask.prompt, response: "yes".to_owned() };
    assert_eq!(answered.event, EventId(9));
    assert_eq!(answered.encode().unwrap().get(), serde_json::to_string(&own).unwrap());

    let expired = raw("InputRequired<Ok>", &written).expired(RequestId(4), EventId(9)).unwrap();
    assert_eq!(expired.event, EventId(9));
    let own = Expired { request: RequestId(4), prompt: Text { message: "Sure?".to_owned() } };
    assert_eq!(expired.encode().unwrap().get(), serde_json::to_string(&own).unwrap());
}

#[test]
fn a_graph_is_kept_as_it_is_and_one_that_was_changed_is_refused() {
    let graph = graph();
    let (stored, name) = (graph_json(&graph), fingerprint(&graph));
    assert_eq!(name.len(), 16);
    assert_eq!(read_graph(&name, &stored).unwrap(), graph);
    assert!(matches!(read_graph("5eed", &stored), Err(GraphError::Other { found, .. }) if found == name));
    assert!(matches!(read_graph(&name, &json("[]")), Err(GraphError::Unreadable { .. })));
    let stray = stored.get().replace(
        r#""points":[]"#,
        r#""points":[{"step":0,"origin":{"Returned":0},"items":[],"gathers":[]}]"#,
    );
    assert!(matches!(read_graph(&name, &json(&stray)), Err(GraphError::Unlinked { .. })));
}

#[test]
fn what_the_raw_form_was_given_it_gives_back() {
    let json = json(r#"{ "b" : 1,"a":1e3 }"#);
    let decoded = Raw::decode(EventId(1), &json).unwrap();
    assert_eq!(decoded.encode().unwrap().get(), json.get());
    assert_eq!(decoded.event(), EventId(1));
}
