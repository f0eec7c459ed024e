//! The graph as a constant.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use workflow_graph as model;
use workflow_graph::{Alternative, Catches, EventId, Origin, ParamForm, Role, Tool};

use crate::args::Count;
use crate::expand::{Names, policy};
use crate::graph::Graph;
use crate::parse::StepDef;

/// `&Graph { .. }`.
pub(super) fn graph(graph: &Graph<'_>, names: &Names) -> TokenStream {
    let writer = Writer { names, private: &names.private };
    let model::Graph { name, docs, events, points, .. } = &graph.table;
    let (name, docs) = (writer.text(name), writer.text(docs));
    let events = writer.list("Event", events.iter().map(|event| writer.event(event)));
    let steps = writer.list("Step", graph.steps().map(|(_, step, def)| writer.step(step, def)));
    let points = writer.list("Point", points.iter().map(|point| writer.point(point)));
    let private = writer.private;
    quote! {
        &#private::graph::Graph { name: #name, docs: #docs, events: #events, steps: #steps, points: #points }
    }
}

struct Writer<'a> {
    names: &'a Names,
    private: &'a TokenStream,
}

impl Writer<'_> {
    fn event(&self, event: &model::Event) -> TokenStream {
        let private = self.private;
        let name = self.text(&event.name);
        let role = self.role(event.role);
        let accepted_by = self.slots(&event.accepted_by);
        quote!(#private::graph::Event { name: #name, role: #role, accepted_by: #accepted_by })
    }

    fn role(&self, role: Role) -> TokenStream {
        let private = self.private;
        let optional = |event: Option<EventId>| self.option(event.map(|event| self.event_id(event)));
        let role = match role {
            Role::Start => quote!(Start),
            Role::Event => quote!(Event),
            Role::Signal => quote!(Signal),
            Role::Stop => quote!(Stop),
            Role::Prompt { response, expired } => {
                let (response, expired) = (optional(response), optional(expired));
                quote!(Prompt { response: #response, expired: #expired })
            }
            Role::Response { prompt } => {
                let prompt = optional(prompt);
                quote!(Response { prompt: #prompt })
            }
            Role::Expired { prompt } => {
                let prompt = optional(prompt);
                quote!(Expired { prompt: #prompt })
            }
        };
        quote!(#private::graph::Role::#role)
    }

    fn step(&self, step: &model::Step, def: &StepDef) -> TokenStream {
        let private = self.private;
        let (name, docs) = (self.text(&step.name), self.text(&step.docs));
        let was = self.option(step.was.as_ref().map(|was| self.text(was)));
        let params = self.list("Param", step.params.iter().map(|param| self.param(param)));
        let tools = self.list("Tool", step.tools.iter().map(|tool| self.tool(*tool)));
        let returns = self.returns(&step.returns);
        let options = self.options(&step.options, def);
        quote! {
            #private::graph::Step {
                name: #name, docs: #docs, was: #was, params: #params, tools: #tools, returns: #returns, options: #options,
            }
        }
    }

    fn param(&self, param: &model::Param) -> TokenStream {
        let private = self.private;
        let events = self.event_ids(&param.events);
        let form = match param.form {
            ParamForm::One => quote!(One),
            ParamForm::Gather { failures } => quote!(Gather { failures: #failures }),
            ParamForm::Failed => quote!(Failed),
        };
        quote!(#private::graph::Param { events: #events, form: #private::graph::ParamForm::#form })
    }

    fn tool(&self, tool: Tool) -> TokenStream {
        let private = self.private;
        let tool = match tool {
            Tool::Emitter(point) => {
                let point = self.point_id(point);
                quote!(Emitter(#point))
            }
            Tool::Asker(event) => {
                let event = self.event_id(event);
                quote!(Asker(#event))
            }
            Tool::Inbox(event) => {
                let event = self.event_id(event);
                quote!(Inbox(#event))
            }
        };
        quote!(#private::graph::Tool::#tool)
    }

    fn returns(&self, returns: &model::Returns) -> TokenStream {
        let private = self.private;
        let model::Returns { fallible, optional, alternatives } = returns;
        let alternatives = alternatives.iter().map(|alternative| match *alternative {
            Alternative::One(event) => {
                let event = self.event_id(event);
                quote!(#private::graph::Alternative::One(#event))
            }
            Alternative::Many(point) => {
                let point = self.point_id(point);
                quote!(#private::graph::Alternative::Many(#point))
            }
        });
        let alternatives = self.list("Alternative", alternatives);
        quote!(#private::graph::Returns { fallible: #fallible, optional: #optional, alternatives: #alternatives })
    }

    /// Only what differs from `StepOptions::NONE` is written.
    fn options(&self, options: &model::StepOptions, def: &StepDef) -> TokenStream {
        let private = self.private;
        if *options == model::StepOptions::NONE {
            return quote!(#private::graph::StepOptions::NONE);
        }
        let model::StepOptions { cancel_rest, catches, skip, .. } = options;
        let workers = self.count(def.args.workers.as_ref());
        let take = self.count(def.args.take.as_ref());
        let max_recoveries = self.count(def.args.max_recoveries.as_ref());
        let catches = self.option(catches.as_ref().map(|catches| match catches {
            Catches::Rest => quote!(#private::graph::Catches::Rest),
            Catches::Steps(steps) => {
                let steps = steps.iter().map(|step| {
                    let number = step.0;
                    quote!(#private::graph::StepId(#number))
                });
                let steps = self.list("StepId", steps);
                quote!(#private::graph::Catches::Steps(#steps))
            }
        }));
        let model::Skip { reachability, dead_end, outside, join } = skip;
        quote! {
            #private::graph::StepOptions {
                workers: #workers, take: #take, cancel_rest: #cancel_rest, catches: #catches,
                max_recoveries: #max_recoveries,
                skip: #private::graph::Skip {
                    reachability: #reachability, dead_end: #dead_end, outside: #outside, join: #join,
                },
            }
        }
    }

    fn count(&self, option: Option<&Count>) -> TokenStream {
        self.option(option.map(|option| match option {
            Count::Number(number) => quote!(#number),
            Count::Expr(expr) => policy::inline(policy::count, "__COUNT", expr, self.names),
        }))
    }

    fn point(&self, point: &model::Point) -> TokenStream {
        let private = self.private;
        let step = point.step.0;
        let origin = match point.origin {
            Origin::Returned(position) => quote!(Returned(#position)),
            Origin::Emitter(position) => quote!(Emitter(#position)),
        };
        let items = self.event_ids(&point.items);
        let gathers = self.slots(&point.gathers);
        quote! {
            #private::graph::Point {
                step: #private::graph::StepId(#step), origin: #private::graph::Origin::#origin,
                items: #items, gathers: #gathers,
            }
        }
    }

    fn slots(&self, slots: &[model::Slot]) -> TokenStream {
        let private = self.private;
        self.list(
            "Slot",
            slots.iter().map(|slot| {
                let (step, param) = (slot.step.0, slot.param);
                quote!(#private::graph::Slot { step: #private::graph::StepId(#step), param: #param })
            }),
        )
    }

    fn event_ids(&self, events: &[EventId]) -> TokenStream {
        self.list("EventId", events.iter().map(|event| self.event_id(*event)))
    }

    fn event_id(&self, event: EventId) -> TokenStream {
        let private = self.private;
        let number = event.0;
        quote!(#private::graph::EventId(#number))
    }

    fn point_id(&self, point: model::PointId) -> TokenStream {
        let private = self.private;
        let number = point.0;
        quote!(#private::graph::PointId(#number))
    }

    fn text(&self, text: &str) -> TokenStream {
        let private = self.private;
        quote!(#private::Cow::Borrowed(#text))
    }

    fn option(&self, value: Option<impl ToTokens>) -> TokenStream {
        let private = self.private;
        match value {
            Some(value) => quote!(#private::Some(#value)),
            None => quote!(#private::None),
        }
    }

    /// A constant of its own, because a borrow of a list that needs dropping is not promoted to `'static`.
    fn list(&self, element: &str, items: impl Iterator<Item = TokenStream>) -> TokenStream {
        let private = self.private;
        let items: Vec<_> = items.collect();
        if items.is_empty() {
            return quote!(#private::Cow::Borrowed(&[]));
        }
        let element = quote::format_ident!("{element}");
        quote!({
            const LIST: &[#private::graph::#element] = &[#(#items),*];
            #private::Cow::Borrowed(LIST)
        })
    }
}
