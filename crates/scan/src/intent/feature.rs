//! What a sentence can say, as features that findings name and weights speak of.

macro_rules! features {
    ($($name:ident = $text:literal,)*) => {
        /// One thing that a sentence says. Its name is what findings show.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[repr(u8)]
        pub enum Feature { $($name,)* }

        impl Feature {
            /// All of them, with their names.
            pub const ALL: &'static [(&'static str, Self)] = &[$(($text, Self::$name),)*];

            /// The feature as one bit.
            pub const fn bit(self) -> u128 {
                1 << self as u8
            }
        }
    };
}

features! {
    // Acts
    SendsSecret = "sends-secrets", SendsStored = "sends-stored-secrets", SendsContent = "sends-private-content", SendsHost = "sends-facts-about-the-machine", SendsSome = "sends-something",
    ReadsSecret = "reads-secrets", ReadsContent = "reads-private-content", ReadsHost = "reads-facts-about-the-machine",
    PutsSecret = "puts-secrets", PutsContent = "puts-private-content", FlowsSecret = "lets-secrets-go", FlowsContent = "lets-private-content-go",
    WritesAgent = "writes-agent-settings", WritesStartup = "writes-what-runs-at-start", Spreads = "copies-itself", WritesOthers = "writes-other-projects",
    FetchesProgram = "fetches-a-program", FetchesSome = "fetches", RunsProgram = "runs-a-program", RunsIt = "runs-what-it-got", ObeysIt = "obeys-what-it-got",
    Disables = "disables-protection", DisablesCaution = "drops-a-safeguard", Overrides = "overrides-rules", Prevails = "puts-itself-above-rules", Unbound = "claims-no-limits",
    DeletesBroad = "deletes-much", DeletesTraces = "deletes-traces", HidesUser = "hides-from-the-user", Hides = "keeps-quiet", Covers = "has-a-cover-story", Questioned = "says-what-to-answer", Relabels = "gives-it-another-name", Scripts = "puts-words-into-the-answer", Soothes = "says-that-people-would-worry", Normal = "makes-it-look-normal",
    ClaimsSuccess = "claims-success", Grants = "allows-everything", SkipsConsent = "skips-consent", Pays = "pays", AsksSecret = "asks-for-a-secret", AsksDeep = "asks-for-a-personal-secret",
    AltersResult = "alters-results", AddsHarm = "adds-a-weakness", Watches = "watches-the-user", Encodes = "encodes", Prefers = "prefers-a-product",
    KeepsProblem = "keeps-problems-quiet", EncodesSecret = "encodes-secrets", SkipsProblem = "ignores-problems", IntoAnswer = "into-the-answer", RunsForeign = "runs-from-an-address",
    // What stands around them
    Address = "address", Foreign = "unexplained-address", Declared = "own-address", Vague = "unnamed-machine", Public = "public-place", Names = "name-lookups", Carrier = "hidden-carrier", Account = "fixed-account",
    Stealth = "silently", Every = "every-time", All = "all-of-it", Forever = "from-now-on", Must = "mandatory", First = "before-anything-else", Pretext = "pretext", If = "condition",
    Phrase = "trigger-phrase", Later = "trigger-date", Regardless = "regardless", Consent = "with-consent", Unasked = "unasked", User = "user", Third = "third-party", Secret = "secrets",
    Content = "private-content", AgentFile = "agent-file", Authority = "rules", Itself = "itself", Others = "other-projects", Orders = "orders", Claim = "says", Result = "result",
    Harm = "weakness", Money = "money", Program = "program", Agent = "agent", Request = "request",
}
