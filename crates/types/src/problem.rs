use std::fmt;

use serde::{Deserialize, Serialize};

macro_rules! codes {
    ($($(#[doc = $doc:literal])+ $name:ident = $word:literal, $status:literal, $title:literal;)+) => {
        /// A stable name for each thing that can go wrong in front of a user; clients may match on it.
        ///
        /// `docs/errors/<code>.md` tells cause and remedy of each.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        pub enum Code {
            $($(#[doc = $doc])+ #[serde(rename = $word)] $name,)+
        }

        // Written out: a derive does not see the words that this macro puts in.
        impl utoipa::PartialSchema for Code {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
                let about = "A stable name for what went wrong; clients may match on it";
                crate::words::schema(about, &[$(($word, concat!($($doc),+))),+])
            }
        }

        impl utoipa::ToSchema for Code {}

        impl Code {
            /// Every code, in the order of the reference.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];

            /// The code's text, for example `skill_not_found`.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $word,)+
                }
            }

            /// The HTTP status that goes with it.
            pub const fn status(self) -> u16 {
                match self {
                    $(Self::$name => $status,)+
                }
            }

            /// One line for people, the same for every occurrence (RFC 9457 `title`).
            pub const fn title(self) -> &'static str {
                match self {
                    $(Self::$name => $title,)+
                }
            }
        }
    };
}

codes! {
    /// A parameter or a body breaks a rule.
    InvalidRequest = "invalid_request", 400, "The request is not valid";
    /// A name breaks the rule for names.
    InvalidName = "invalid_name", 400, "The name is not valid";
    /// A version number is no semantic version.
    InvalidVersion = "invalid_version", 400, "The version is not valid";
    /// A page cursor is not one of ours.
    InvalidCursor = "invalid_cursor", 400, "The page cursor is not valid";
    /// A URL may not be reached from here.
    ForbiddenAddress = "forbidden_address", 400, "The address may not be reached from this hub";
    /// No token, or one that is unknown, expired or revoked.
    Unauthenticated = "unauthenticated", 401, "Sign in first";
    /// There is not enough money in the purse.
    InsufficientFunds = "insufficient_funds", 402, "There is not enough in the purse";
    /// A budget has not enough left.
    BudgetSpent = "budget_spent", 402, "The budget is spent";
    /// A budget does not count what would be spent.
    BudgetMismatch = "budget_mismatch", 402, "The budget cannot pay for this";
    /// The token or the person may not do this.
    Forbidden = "forbidden", 403, "This is not allowed for you";
    /// The version was not admitted: it waits, is held, or was rejected.
    NotAdmitted = "not_admitted", 403, "The version was not admitted";
    /// A mandate does not allow this purchase.
    MandateRefused = "mandate_refused", 403, "The mandate does not allow this";
    /// The policy of the hub forbids it to whoever asks.
    PolicyForbids = "policy_forbids", 403, "The policy of this hub forbids it";
    /// A secret is not released to what asks for it.
    SecretRefused = "secret_refused", 403, "A secret is not released to this run";
    /// Host or Origin is not the hub's public address.
    WrongOrigin = "wrong_origin", 403, "The request comes from another site";
    /// Nothing of that name that the viewer may see.
    SkillNotFound = "skill_not_found", 404, "Skill not found";
    /// No such version that the viewer may see.
    VersionNotFound = "version_not_found", 404, "Version not found";
    /// No such file in the version.
    FileNotFound = "file_not_found", 404, "File not found";
    /// No such publisher.
    PublisherNotFound = "publisher_not_found", 404, "Publisher not found";
    /// The publisher has no such secret.
    SecretNotFound = "secret_not_found", 404, "Secret not found";
    /// No such model.
    ModelNotFound = "model_not_found", 404, "Model not found";
    /// Nothing of that kind and name that the viewer may see.
    NotFound = "not_found", 404, "Not found";
    /// The path exists, but not for this method.
    MethodNotAllowed = "method_not_allowed", 405, "The method is not allowed here";
    /// A bare name fits several skills.
    AmbiguousSlug = "ambiguous_slug", 409, "Several skills have this name";
    /// The version exists with other content.
    VersionTaken = "version_taken", 409, "The version exists with other content";
    /// The name belongs to another skill.
    NameTaken = "name_taken", 409, "The name is taken";
    /// The name is held back after a deletion.
    NameReserved = "name_reserved", 409, "The name is reserved";
    /// Another path of the same or another source already made this skill.
    ImportConflict = "import_conflict", 409, "Another source has already made this skill";
    /// The thing changed, or is in a state that does not allow this.
    Conflict = "conflict", 409, "The present state does not allow this";
    /// The quote of a checkout is refused, or the merchant does not take the order.
    CheckoutRefused = "checkout_refused", 409, "The purchase is refused";
    /// An idempotency key was used for another request.
    IdempotencyMismatch = "idempotency_mismatch", 409, "The idempotency key was used for another request";
    /// More would be granted to a run than is declared, and nobody consented to that.
    ConsentRequired = "consent_required", 409, "Somebody must consent to this first";
    /// Skills require each other in a circle.
    RequiresCycle = "requires_cycle", 409, "Skills require each other in a circle";
    /// No set of versions meets every requirement.
    RequiresConflict = "requires_conflict", 409, "Requirements cannot be met together";
    /// The version was withdrawn.
    Gone = "gone", 410, "This was withdrawn";
    /// More bytes, files or entries than allowed.
    TooLarge = "too_large", 413, "Larger than allowed";
    /// The body has another type than the route takes.
    UnsupportedMediaType = "unsupported_media_type", 415, "The Content-Type is not one that this route takes";
    /// The package cannot be accepted.
    PackageRefused = "package_refused", 422, "The package cannot be accepted";
    /// An amount of money cannot be used.
    AmountInvalid = "amount_invalid", 422, "The amount is not valid";
    /// The key of a request about money was used for another one.
    KeyConflict = "key_conflict", 422, "The key was used for another request";
    /// The publisher takes only signed versions.
    SignatureRequired = "signature_required", 422, "This publisher takes only signed versions";
    /// A signature does not hold or is about something else.
    SignatureRefused = "signature_refused", 422, "The signature is refused";
    /// The share of runs is used up.
    QuotaExceeded = "quota_exceeded", 429, "No more runs are accepted now";
    /// Too many requests in a short time.
    RateLimited = "rate_limited", 429, "Too many requests";
    /// The hub failed; the request id finds the cause in its log.
    Internal = "internal", 500, "The hub failed";
    /// A merchant does not answer as it should.
    MerchantUnavailable = "merchant_unavailable", 502, "The merchant does not answer";
    /// The model's provider failed or gave no answer that can be used.
    UpstreamFailed = "upstream_failed", 502, "The provider failed";
    /// The model's provider was too slow.
    UpstreamTimeout = "upstream_timeout", 504, "The provider took too long";
    /// Part of the hub is not ready or is shutting down.
    Unavailable = "unavailable", 503, "The hub is not ready";
}

impl fmt::Display for Code {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// What a user is told when something goes wrong: a stable code, what happened, and what to do next.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{detail}")]
pub struct Problem {
    /// The stable name.
    pub code: Code,
    /// What happened this time, in a sentence without a full stop.
    pub detail: String,
    /// What to do next, where there is something.
    pub hint: Option<String>,
}

impl Problem {
    /// A problem without a hint.
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        Self { code, detail: detail.into(), hint: None }
    }

    /// Says what to do next.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}
