//! Expansions, as they stand in `snapshots/`, and what is promised of all of them.
//!
//! After a change that is meant, run the tests with `REWRITE_SNAPSHOTS=1` and read the difference.

use std::fs;
use std::path::PathBuf;

use proc_macro2::{TokenStream, TokenTree};
use quote::quote;

use crate::{data, resolved_block, workflow_block};

/// Compares an expansion with the stored one.
fn compare(name: &str, expansion: TokenStream) {
    let file = syn::parse2(expansion).expect("an expansion is a list of items");
    let text = prettyplease::unparse(&file);
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("snapshots").join(format!("{name}.rs"));
    if std::env::var_os("REWRITE_SNAPSHOTS").is_some() {
        fs::write(&path, &text).expect("the snapshot can be written");
    }
    let stored = fs::read_to_string(&path).unwrap_or_default();
    assert!(text == stored, "the expansion differs from {}:\n{text}", path.display());
}

fn expand(args: &str, block: &str) -> TokenStream {
    workflow_block(tokens(args), tokens(block))
}

fn tokens(text: &str) -> TokenStream {
    text.parse().expect("the text lexes")
}

/// Tokens as text without the difference that spacing makes.
fn text(tokens: impl IntoIterator<Item = TokenTree>) -> String {
    tokens.into_iter().collect::<TokenStream>().to_string()
}

const QUESTION: &str = r#"
    /// Greets.
    impl Greet {
        /// Asks for a name.
        #[step]
        fn ask(&self, _: Start) -> InputRequired {
            InputRequired::text("What is your name?")
        }

        #[step]
        async fn greet(&self, HumanResponse { response, .. }: HumanResponse) -> Stop<String> {
            Stop(format!("Hello, {response}!"))
        }
    }
"#;

#[test]
fn a_question() {
    compare("question", expand("", QUESTION));
}

#[test]
fn branches_loops_and_errors() {
    let block = r#"
        impl Review {
            #[step(was = "begin")]
            async fn draft(&self, Start(topic): Start<Topic>, ctx: &Context<Self>) -> Result<Draft, WriteError> {
                ctx.publish(1);
                self.write(topic).await
            }

            #[step]
            async fn judge(&self, draft: &Draft) -> OneOf<Good, Bad> {
                self.judge(draft).await
            }

            #[step]
            fn either(&self, verdict: OneOf<&Good, Bad>) -> Result<Option<OneOf<Draft, Stop<Report>>>, String> {
                Ok(None)
            }
        }
    "#;
    compare("branches", expand(r#"progress = u32, name = "review", crate = flow, register = build"#, block));
}

#[test]
fn fan_out_gather_and_join() {
    let block = r"
        impl Check {
            #[step]
            fn split(&self, Start(rows): Start<Vec<Row>>) -> Vec<Row> {
                rows
            }

            #[step(workers = 4)]
            async fn prices(&self, row: &Row) -> Price {
                self.price(row).await
            }

            #[step(workers = WORKERS)]
            async fn limits(&self, row: &Row) -> Limit {
                self.limit(row).await
            }

            #[step]
            fn judge(&self, price: Price, limit: &Limit) -> OneOf<Fine, Doubtful> {
                OneOf::new(Fine)
            }

            #[step(take = 3, cancel_rest = false)]
            fn first(&self, all: Vec<OneOf<Fine, &Doubtful>>) {}

            #[step]
            fn report(&self, all: Vec<OneOf<Fine, Doubtful>>) -> Stop<Report> {
                Stop(Report::of(all))
            }
        }
    ";
    compare("fan_out", expand("", block));
}

#[test]
fn parameters_and_spellings() {
    let block = r"
        impl<L: Llm, const N: usize> agents::Agent<L, N>
        where
            Self: Debug,
        {
            #[step]
            fn ask(&self, Start(prompt): Start<Prompt<Self>>) -> InputRequired<Improve<L::Message>> {
                InputRequired::new(Improve(prompt))
            }

            #[step]
            fn improved(&self, answer: &HumanResponse<crate::Improve<L::Message>>) -> events::Done<N> {
                Done
            }

            #[step]
            fn done(&self, done: Done<N>) -> Stop {
                Stop(())
            }
        }
    ";
    compare("generic", expand("prompts = Questions", block));
}

#[test]
fn failures_and_times() {
    let block = r#"
        impl Offer {
            #[step(retry = Self::RETRY, timeout = "10s")]
            async fn fetch(&self, Start(id): &Start<u64>) -> Result<Vec<Page>, FetchError> {
                self.fetch(id).await
            }

            #[step(catches(fetch), max_recoveries = 2)]
            fn refetch(&self, failed: StepFailed<&Start<u64>>) -> InputRequired<Sure> {
                self.ask()
            }

            #[step]
            fn all(&self, all: Vec<Result<&Page, StepFailed>>) -> InputRequired<Sure> {
                self.ask()
            }

            #[step]
            fn late(&self, _: OneOf<Expired<Sure>, Signal<Hurry>>) -> Stop {
                Stop(())
            }

            #[step]
            fn sure(&self, _: HumanResponse<Sure>) -> Stop {
                Stop(())
            }
        }
    "#;
    compare("failures_and_times", expand("", block));
}

#[test]
fn a_mistake() {
    let block = QUESTION.replace("InputRequired {", "(InputRequired, Other) {");
    compare("mistake", expand("", &block));
}

/// The compiler shows twice what is said twice, where it compiles incrementally.
#[test]
fn each_mistake_is_said_once() {
    let mistakes = [
        // In attributes and signatures.
        (
            "nam = \"greet\"",
            r"impl Greet {
            #[step(retrys = 3, workers = 0)]
            fn ask(&self, _: Start) -> (Stop, Other) { todo!() }
            #[step]
            fn greet(self, _: Signal) -> ! { todo!() }
        }",
        ),
        // Between options and signatures.
        ("", "impl Greet { #[step(timeout = \"1s\")] fn ask(&self, _: Start) -> Stop { todo!() } }"),
        // In the graph, at two places.
        (
            "",
            r"impl Greet {
            #[step] fn ask(&self, _: Start) -> A { todo!() }
            #[step] fn greet(&self, _: B) -> A { todo!() }
        }",
        ),
        // Around the steps.
        ("", "impl Greet { #[step] fn ask(&self, _: ) -> Stop {} }"),
        ("", "struct Greet;"),
    ];
    for (args, block) in mistakes {
        let said = said(expand(args, block));
        assert!(!said.is_empty(), "{block}");
        let mut once = said.clone();
        once.sort();
        once.dedup();
        assert_eq!(said.len(), once.len(), "{said:#?}");
    }
}

/// The messages of `compile_error!`, wherever they stand.
fn said(tokens: TokenStream) -> Vec<String> {
    let mut said = Vec::new();
    let mut last = String::new();
    for token in tokens {
        if let TokenTree::Group(group) = &token {
            match last.as_str() {
                "compile_error !" => said.push(group.stream().to_string()),
                _ => said.extend(self::said(group.stream())),
            }
        }
        last = match &token {
            TokenTree::Ident(word) => word.to_string(),
            TokenTree::Punct(mark) if mark.as_char() == '!' => format!("{last} !"),
            _ => String::new(),
        };
    }
    said
}

/// The promise that compile times stay bearable: ten more steps cost what ten steps cost.
#[test]
fn expansion_is_linear_in_the_number_of_steps() {
    let size = |steps: usize| count(expand("", &chain(steps)));
    let (ten, twenty, forty) = (size(10), size(20), size(40));
    let per_ten = twenty - ten;
    assert!(forty - twenty <= 2 * per_ten + per_ten / 50, "{ten}, {twenty}, {forty}");
}

fn chain(steps: usize) -> String {
    let step = |number: usize| match number {
        0 => "#[step] async fn step100(&self, _: Start) -> E101 { E101 }".to_owned(),
        last if last + 1 == steps => {
            let number = 100 + number;
            format!("#[step] async fn step{number}(&self, _: E{number}) -> Stop {{ Stop(()) }}")
        }
        number => {
            let (number, next) = (100 + number, 101 + number);
            format!("#[step] async fn step{number}(&self, _: E{number}) -> E{next} {{ E{next} }}")
        }
    };
    let steps: Vec<String> = (0..steps).map(step).collect();
    format!("impl Chain {{ {} }}", steps.join("\n"))
}

fn count(tokens: TokenStream) -> usize {
    let size = |token| match token {
        TokenTree::Group(group) => 2 + count(group.stream()),
        // The diagram in the documentation is one token, and as long as the graph.
        TokenTree::Literal(literal) => literal.to_string().len().div_ceil(8),
        _ => 1,
    };
    tokens.into_iter().map(size).sum()
}

/// What an editor sends while somebody types: everything but our attributes comes back, token for token.
#[test]
fn half_typed_code_comes_back() {
    let bodies = [
        "let x = self.",
        "match ev { Some(",
        "foo(; ]",
        "if let Some(x) = { ",
        "ev.total as ; < > => ..",
        "let s = \"text\"; s.len(",
    ];
    for body in bodies.iter().filter_map(|body| body.parse::<TokenStream>().ok()) {
        let block = |step: TokenStream| {
            quote! {
                impl Greet {
                    const X: [u8; { 1 + 1 }] = { [0; 2] };
                    #step
                    async fn greet(&self, _: Start) -> Stop { #body }
                    fn other(&self) -> Foo<{ N }> { #body }
                    thing! { a b c }
                    type T = u8;
                }
            }
        };
        comes_back(workflow_block(TokenStream::new(), block(quote!(#[step(workers = 2)]))), block(quote!()));
    }
}

#[test]
fn half_typed_signatures_come_back() {
    let signatures = [
        "async fn greet(&self, ev: ) -> Stop { Stop(()) }",
        "async fn greet(&self, ev) -> Stop { Stop(()) }",
        "fn greet(&self, ev: HumanResponse<) -> Stop { Stop(()) }",
        "fn greet(&self, ev: crate::) -> OneOf<Stop, { }",
        "pub(crate) async fn greet(&self) -> { }",
        "fn greet(&self, _: Start) -> Result<Stop, ",
        "async fn",
        "fn greet",
        "pub",
        "fn greet(&self, _: Start) -> Stop;",
        "greet(&self)",
    ];
    for signature in signatures.map(tokens) {
        let block = |step: TokenStream| {
            quote! {
                /// Greets.
                impl Greet {
                    #step
                    #signature

                    /// Another step.
                    #step
                    #[allow(unused)]
                    fn next(&self, _: Start) -> Stop { self. }
                    fn helper(&self) {}
                }
            }
        };
        comes_back(
            workflow_block(TokenStream::new(), block(quote!(#[workflow_runtime::step]))),
            block(quote!()),
        );
    }
}

#[test]
fn half_typed_blocks_come_back() {
    for head in ["impl", "impl Greet for", "impl<", "pub impl Greet", "fn"].map(tokens) {
        let block = |step: TokenStream| quote!(#head { #step fn ask(&self, _: Start) -> Stop { self. } fn });
        comes_back(workflow_block(TokenStream::new(), block(quote!(#[step]))), block(quote!()));
    }
}

#[test]
fn half_typed_data_comes_back() {
    for item in ["struct A { a: , }", "struct A { a: u8 b }", "enum A { B(", "pub"] {
        let Ok(item) = item.parse::<TokenStream>() else { continue };
        comes_back(data::event(TokenStream::new(), item.clone()), item.clone());
        comes_back(data::data(quote!(crate = ), item.clone()), item.clone());
        comes_back(data::prompt(quote!(response = ), item.clone()), item.clone());
    }
}

/// Where a step is conditional, the block passes through a derive and comes out as it went in.
#[test]
fn conditional_blocks_come_back() {
    let block = |begin: TokenStream, end: TokenStream| {
        quote! {
            /// Docs.
            impl Greet {
                const X: u8 = 0;
                #begin
                #[allow(unused)]
                fn begin(&self, _: Start) -> Middle { self. }
                #[cfg(unix)]
                fn helper() {}
                #end
                async fn end(&self, _: Middle) -> Stop { #[cfg(unix)] self. }
            }
        }
    };
    let written = block(quote!(#[cfg(unix)] #[step]), quote!(#[cfg_attr(unix, step(workers = 2), inline)]));
    // What the compiler makes of it on Unix.
    let helper = workflow_block(quote!(name = "greet"), written).to_string();
    let decided = helper.replace("# [cfg (unix)] # [__item (# [step ()]", "# [__item (# [step ()]").replace(
        "# [cfg_attr (unix , __attr (step (workers = 2)) , __attr (inline))]",
        "# [__attr (step (workers = 2))] # [__attr (inline)]",
    );
    assert_ne!(helper, decided);
    let expansion = resolved_block(tokens(&decided)).expect("the helper is read back");
    comes_back(expansion.clone(), block(quote!(), quote!(#[inline])));
    assert!(expansion.to_string().contains("workers : __private :: Some (2u32)"));
}

/// `block` stands among the tokens of `expansion`, apart from documentation and `<>` that were added to it.
fn comes_back(expansion: TokenStream, block: TokenStream) {
    let plain = |tokens: TokenStream| text(without_docs(tokens)).replacen("impl < > ", "impl ", 1);
    let (expansion, block) = (plain(expansion), plain(block));
    assert!(expansion.contains(&block), "{block}\n\nis not in\n\n{expansion}");
}

fn without_docs(tokens: TokenStream) -> TokenStream {
    let mut out: Vec<TokenTree> = Vec::new();
    for token in tokens {
        let is_doc =
            matches!(&token, TokenTree::Group(group) if group.stream().to_string().starts_with("doc ="));
        if is_doc {
            out.pop();
            continue;
        }
        out.push(match token {
            TokenTree::Group(group) => {
                TokenTree::Group(proc_macro2::Group::new(group.delimiter(), without_docs(group.stream())))
            }
            token => token,
        });
    }
    out.into_iter().collect()
}
