//! JSON shapes of the native API, shared by the hub and its client.
//!
//! All routes lie under [`BASE`]. Requests and answers are JSON unless the table says otherwise; moments are RFC 3339 in
//! UTC; lists are pages of `{items, next_cursor}` asked for with `cursor` and `limit` (1 to 200, 25 unless told). Whatever
//! is not there is left out, never null. An error is a [`Problem`](ProblemBody) (RFC 9457, `application/problem+json`). A
//! write may carry `Idempotency-Key`: the same key and request again get the first answer. A write about money must: without one
//! it is refused with 400, and another request under a known key with 422.
//!
//! `{v}` is a version number, a tag or a range (`1.2.0`, `latest`, `^1.2`); only answers for a full number are immutable.
//! A skill that was renamed answers under its old name with 308 and the new address.
//!
//! | method and path | asks or sends | answers |
//! |---|---|---|
//! | `GET /skills` | [`SkillQuery`] | [`SkillPage`] |
//! | `GET /search` | [`SearchQuery`] | [`SearchPage`] |
//! | `GET /search/unanswered` | [`UnansweredQuery`] | [`UnansweredList`]: what several people looked for and did not find |
//! | `GET /skills/{slug}` | | [`Skill`] when exactly one visible skill has that name; else 404, or 409 `ambiguous_slug` with `matches` |
//! | `GET /skills/{p}/{s}` | | [`Skill`] |
//! | `PATCH /skills/{p}/{s}` | [`SkillChange`] | [`Skill`] |
//! | `DELETE /skills/{p}/{s}` | [`Deletion`] in the query | [`Deleted`] |
//! | `POST /skills/{p}/{s}/restore` | | [`Skill`] |
//! | `POST /skills/{p}/{s}/rename` | [`Rename`] | [`Skill`] under its new name |
//! | `GET /skills/{p}/{s}/versions` | [`PageQuery`] | [`VersionPage`], newest first |
//! | `GET /skills/{p}/{s}/versions/{v}` | | [`VersionDetail`] |
//! | `GET /skills/{p}/{s}/versions/{v}/archive` | `Range`, `If-None-Match` | the canonical ZIP; `ETag` is the digest |
//! | `GET /skills/{p}/{s}/versions/{v}/files` | | [`FileList`] |
//! | `GET /skills/{p}/{s}/versions/{v}/files/{path…}` | `Range`, `If-None-Match` | the file's bytes |
//! | `POST /skills/{p}/{s}/versions/{v}/yank` | [`Reason`] | [`Version`](VersionSummary) |
//! | `POST /skills/{p}/{s}/versions/{v}/restore` | | [`Version`](VersionSummary) |
//! | `GET /skills/{p}/{s}/tags` | | [`TagList`] |
//! | `PUT /skills/{p}/{s}/tags/{tag}` | [`TagTarget`] | [`Tag`] |
//! | `DELETE /skills/{p}/{s}/tags/{tag}` | | 204 |
//! | `PUT /skills/{p}/{s}/star`, `DELETE …/star` | | [`Starred`] |
//! | `PUT /skills/{p}/{s}/activation`, `DELETE …` | [`ActivationTarget`] | [`Activation`]; 204 |
//! | `GET /activations` | | [`ActivationList`]: what the caller's agents have as tools of their own |
//! | `GET /skills/{p}/{s}/usage` | [`UsageQuery`] | [`Usage`] |
//! | `POST /skills/{p}/{s}/reports` | [`NewReport`] | [`Report`] |
//! | `GET /reports` | [`ReportQuery`] | [`ReportPage`] |
//! | `POST /reports/{id}/decision` | [`ReportDecision`] | [`Report`] |
//! | `POST /skills/{p}/{s}/transfers` | [`NewTransfer`] | [`Transfer`] |
//! | `GET /transfers` | [`TransferQuery`] | [`TransferPage`] |
//! | `POST /transfers/{id}/{accept, reject, cancel}` | | [`Transfer`] |
//! | `POST /publishers/{p}/skills` | [`PublishQuery`] in the query, a ZIP as body | [`Published`]; 201 when it made something |
//! | `POST /publishers/{p}/imports` | [`ImportQuery`] in the query, a ZIP as body | [`ImportItem`], refused ones too |
//! | `POST /resolve` | [`ResolveRequest`] | [`Plan`] |
//! | `POST /outdated` | [`OutdatedRequest`] | [`OutdatedList`] |
//! | `POST /installs/check` | [`CopiesRequest`] | [`CopyList`]: what became of installed copies |
//! | `POST /installs` | [`InstallReport`] | 204; counts installs, never fails for an unknown name |
//! | `POST /runs` | [`NewRun`] | [`Run`] with 202 and `Location`; 200 when it was waited for and is over |
//! | `GET /runs` | [`RunQuery`] | [`RunPage`], newest first |
//! | `GET /runs/{id}` | | [`RunDetail`] |
//! | `GET /runs/{id}/events` | `Last-Event-ID` | server-sent events; the last one is the [`Run`] |
//! | `POST /runs/{id}/cancel`, `POST …/retry` | | [`Run`] |
//! | `GET /runs/{id}/receipt`, `GET …/proof` | | the signed receipt; the proof that it is in the log |
//! | `GET /runs/{id}/outputs/{path…}`, `GET …/said/{stream}` | `Range`, `If-None-Match` | the bytes |
//! | `GET /purse`, `POST /purse/top-ups` | [`NewTopUp`], by an administrator | [`Purse`]; [`PurseBalance`] |
//! | `GET /mandate-keys`, `POST …` | [`NewPublisherKey`] with a key for mandates | [`MandateKeyList`]; [`MandateKey`] |
//! | `DELETE /people/{handle}/mandate-keys` | by an administrator, for one who lost theirs | 204 |
//! | `GET /mandates`, `POST …` | [`NewMandate`] | [`MandateList`]; [`Mandate`] |
//! | `GET /mandates/{id}`, `DELETE …` | | [`Mandate`]; taken back |
//! | `GET /merchants`, `PUT /merchants/{m}`, `DELETE …` | [`NewMerchant`], by an administrator | [`MerchantList`]; [`Merchant`]; 204 |
//! | `GET /offers` | [`OfferQuery`] | [`OfferList`] |
//! | `GET /checkouts`, `POST …` | [`NewCheckout`] | [`CheckoutList`]; [`Checkout`] with its quote |
//! | `GET /checkouts/{id}` | | [`Checkout`] |
//! | `POST /checkouts/{id}/complete` | [`Completion`] | [`Checkout`], paid or refused |
//! | `POST /checkouts/{id}/{cancel, requote}` | | [`Checkout`] |
//! | `POST /checkouts/{id}/refunds` | [`NewRefund`] | [`Checkout`] |
//! | `GET /checkouts/undecided` | by an administrator | [`UndecidedList`] |
//! | `POST /checkouts/{id}/decide` | [`CheckoutDecision`], by an administrator | [`Checkout`] |
//! | `GET /checkouts/{id}/receipt`, `GET …/proof` | | the signed receipt of the order; the proof that it is in the log |
//! | `GET /ledger/accounts` | [`PageQuery`] | [`LedgerAccountPage`]: the caller's, or every one for an administrator |
//! | `GET /ledger/accounts/{n}/statement` | | [`LedgerStatement`] |
//! | `POST /errands` | [`NewErrand`], `Idempotency-Key` | [`Errand`] with 202 and `Location`; 200 when it is over or asks something |
//! | `GET /errands` | [`ErrandQuery`] | [`ErrandPage`], newest first |
//! | `GET /errands/{id}` | | [`Errand`] |
//! | `GET /errands/{id}/events` | `Last-Event-ID` | server-sent events, each an [`ErrandStep`]; the last one is the [`Errand`] |
//! | `POST /errands/{id}/answers` | [`ErrandAnswer`] | [`Errand`] |
//! | `POST /errands/{id}/cancel` | | [`Errand`] |
//! | `GET /workflows` | [`WorkflowQuery`] | [`WorkflowPage`], newest first |
//! | `GET /workflows/{id}` | | [`WorkflowDetail`] with its journal |
//! | `GET /workflows/{id}/events` | `Last-Event-ID` | server-sent events: each a [`WorkflowEntry`]; the last one is the [`Workflow`] |
//! | `POST /workflows/{id}/cancel`, `POST …/retry` | [`WorkflowRetry`] | [`Workflow`] |
//! | `POST /workflows/{id}/answers` | [`WorkflowAnswer`] | [`Workflow`] |
//! | `GET /publishers/{p}/webhooks`, `POST …` | [`NewWebhook`] | [`WebhookList`]; [`Webhook`] with its secret, once |
//! | `DELETE /publishers/{p}/webhooks/{id}` | | 204 |
//! | `GET /usage` | [`ModelUseQuery`] | [`ModelUseList`]: use of models |
//! | `GET /budgets`, `GET /budgets/{owner}` | | [`BudgetList`] |
//! | `PUT /budgets/{owner}`, `DELETE …` | [`BudgetLimit`] | [`Budget`]; 204 |
//! | `GET /overview` | | [`Overview`]: numbers, each with the list that has so many items |
//! | `GET /jobs` | | [`Jobs`], for administrators |
//! | `GET /whoami` | | [`Me`] |
//! | `GET /tokens`, `POST /tokens` | [`NewToken`] | [`TokenList`]; [`IssuedToken`] with its secret, once |
//! | `DELETE /tokens/{id}` | | 204 |
//! | `GET /me/sessions`, `DELETE …` | [`SessionsToEnd`] in the query | [`BrowserSessionList`]; [`EndedSessions`] |
//! | `DELETE /me/sessions/{id}` | | 204 |
//! | `GET /me/password`, `PUT …` | [`NewPassword`] | [`PasswordState`]; [`EndedSessions`]: those that the change ended |
//! | `POST /login-links` | [`NewLoginLink`], or nothing | [`LoginLink`] for a browser |
//! | `POST /device-logins` | [`NewDeviceLogin`] | [`DeviceLogin`] |
//! | `POST /device-logins/token` | [`DevicePoll`] | [`DeviceAnswer`] |
//! | `GET /device-logins/{user_code}` | | [`DeviceRequest`]: who asks for what |
//! | `POST /device-logins/{user_code}/{approve, deny}` | | 204 |
//! | `GET /publishers`, `POST /publishers` | [`PageQuery`], [`NewPublisher`] | [`PublisherPage`]; [`Publisher`] |
//! | `GET /publishers/{p}`, `PATCH …` | [`PublisherChange`] | [`Publisher`] |
//! | `GET /publishers/{p}/keys`, `POST …` | [`NewPublisherKey`] | [`PublisherKeyList`]; [`PublisherKey`] |
//! | `POST /publishers/{p}/keys/{id}/revoke` | [`KeyRevocation`] | [`PublisherKey`] |
//! | `GET /skills/{p}/{s}/versions/{v}/observed` | | [`ObservedBehaviour`] |
//! | `PUT /publishers/{p}/shared-behaviour`, `DELETE …` | | 204 |
//! | `GET /consents` | | [`ConsentList`] |
//! | `DELETE /consents/{id}` | | 204 |
//! | `GET /publishers/{p}/secrets` | | [`SecretList`], without values |
//! | `PUT /publishers/{p}/secrets/{name}`, `DELETE …` | [`SecretValue`] | [`Secret`]; 204 |
//! | `POST /publishers/{p}/secrets/{name}/releases` | [`NewSecretRelease`] | [`Secret`] |
//! | `DELETE /publishers/{p}/secrets/{name}/releases/{digest}` | | 204 |
//! | `GET /publishers/{p}/members` | | [`MemberList`] |
//! | `PUT /publishers/{p}/members/{person}` | [`MemberRole`] | [`Member`] |
//! | `DELETE /publishers/{p}/members/{person}` | | 204 |
//! | `GET /people`, `POST /people` | [`PageQuery`], [`NewPerson`] | [`PersonPage`]; [`Person`] |
//! | `PATCH /people/{handle}` | [`PersonChange`] | [`Person`] |
//! | `POST /people/{handle}/tokens` | [`NewToken`] | [`IssuedToken`] of that person, for administrators |
//! | `GET /audit` | [`AuditQuery`] | [`AuditPage`], newest first |

mod activations;
mod errands;
mod install;
mod keys;
mod manage;
mod models;
mod money;
mod overview;
mod page;
mod people;
mod publish;
mod runs;
mod secrets;
mod sign_in;
mod skills;
mod trust;
mod workflows;

pub use activations::{Activation, ActivationList, ActivationTarget, Allowed};
pub use errands::{
    BoughtItem, Errand, ErrandAnswer, ErrandLanguage, ErrandPage, ErrandQuery, ErrandQuestion, ErrandState, ErrandStep,
    ErrandSummary, NewErrand,
};
pub use install::{
    CopiesRequest, CopyItem, CopyList, InstallReport, Installed, InstalledCopy, InstalledItem, OutdatedItem,
    OutdatedList, OutdatedRequest, Plan, PlanItem, ResolveRequest, Standing,
};
pub use keys::{KeyRevocation, NewPublisherKey, PublisherKey, PublisherKeyList};
pub use manage::{
    Deleted, Deletion, NewReport, NewTransfer, NewWebhook, Reason, Rename, Report, ReportDecision, ReportPage,
    ReportQuery, ReportState, SkillChange, Starred, Tag, TagList, TagTarget, Transfer, TransferDirection, TransferPage,
    TransferQuery, TransferState, UnansweredList, UnansweredQuery, UnansweredSearch, Usage, UsageDay, UsageQuery,
    Webhook, WebhookEvent, WebhookList,
};
pub use models::{Budget, BudgetLimit, BudgetList, ModelUse, ModelUseList, ModelUseQuery};
pub use money::{
    Checkout, CheckoutDecision, CheckoutLine, CheckoutList, CheckoutQuote, CheckoutRefusal, CheckoutShare, Completion,
    LedgerAccount, LedgerAccountPage, LedgerLine, LedgerStatement, Mandate, MandateKey, MandateKeyList, MandateList,
    Merchant, MerchantList, NewCheckout, NewCheckoutLine, NewMandate, NewMerchant, NewRefund, NewTopUp, OfferList,
    OfferQuery, OrderFate, Purse, PurseBalance, SetAside, SilentMerchant, UndecidedCheckout, UndecidedList,
};
pub use overview::{FailedJob, Figure, JobKind, Jobs, Overview, OverviewNumber};
pub use page::{Match, PageQuery, ProblemBody};
pub use people::{
    AuditEntry, AuditPage, AuditQuery, DeviceAnswer, DeviceLogin, DevicePoll, DeviceRequest, DeviceState, IssuedToken,
    LoginLink, Me, Member, MemberList, MemberRole, Membership, NewDeviceLogin, NewLoginLink, NewPerson, NewPublisher,
    NewToken, Person, PersonChange, PersonPage, Publisher, PublisherChange, PublisherPage, Token, TokenList,
};
pub use publish::{
    Finding, ImportItem, ImportQuery, ImportStatus, OnConflict, PublishQuery, PublishStatus, Published, Severity,
};
pub use runs::{
    Consent, ConsentList, NewRun, NewRunFile, Remember, Run, RunConsent, RunDetail, RunFile, RunGrants, RunPage,
    RunQuery, RunState,
};
pub use secrets::{NewSecretRelease, Secret, SecretList, SecretRelease, SecretValue};
pub use sign_in::{BrowserSession, BrowserSessionList, EndedSessions, NewPassword, PasswordState, SessionsToEnd};
pub use skills::{
    CopyOf, Counts, Deprecation, FileItem, FileList, Origin, Requirement, SearchHit, SearchPage, SearchQuery, Signer,
    Skill, SkillPage, SkillQuery, SkillSort, SkillSummary, VersionDetail, VersionPage, VersionState, VersionSummary,
};

pub use trust::{
    Appeal, Assessment, AssessmentList, AssessmentRequest, DeclaredPermissions, Explanation, FailedScan,
    FileDifference, NewPolicy, Notice, NoticeList, ObservedBehaviour, ObservedItem, Outcome, PastDecision, Permission,
    Policy, PolicyChange, PolicyPreview, PolicyReason, PolicyShift, Review, ReviewAct, ReviewDeed, ReviewDetail,
    ReviewDifference, ReviewNote, ReviewPage, ReviewQuery, ReviewState, ScanFinding, Verdict, WaitingList,
};

/// Where the native API begins.
pub const BASE: &str = "/api/kontor/v1";
pub use workflows::{
    Workflow, WorkflowAnswer, WorkflowDetail, WorkflowEntry, WorkflowPage, WorkflowQuery, WorkflowQuestion,
    WorkflowRetry, WorkflowRetryFrom, WorkflowState,
};
