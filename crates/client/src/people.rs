//! People, publishers and tokens.

use kontor_types::{ConsentId, Handle, SessionId, TokenId};
use kontor_wire as wire;
use reqwest::Method;

use crate::api::{Client, Name};
use crate::error::Error;

impl Client {
    /// Who the token belongs to.
    pub async fn whoami(&self) -> Result<wire::Me, Error> {
        self.get(&["whoami"], &()).await
    }

    /// The caller's tokens.
    pub async fn tokens(&self) -> Result<wire::TokenList, Error> {
        self.get(&["tokens"], &()).await
    }

    /// Makes a token; its secret is in this answer only.
    pub async fn issue_token(&self, token: &wire::NewToken) -> Result<wire::IssuedToken, Error> {
        self.send(Method::POST, &["tokens"], token).await
    }

    /// Ends a token.
    pub async fn revoke_token(&self, id: TokenId) -> Result<(), Error> {
        self.order(Method::DELETE, &["tokens", &id.to_string()]).await
    }

    /// Where the caller is signed in with a browser.
    pub async fn sessions(&self) -> Result<wire::BrowserSessionList, Error> {
        self.get(&["me", "sessions"], &()).await
    }

    /// Ends a browser session of the caller.
    pub async fn end_session(&self, id: SessionId) -> Result<(), Error> {
        self.order(Method::DELETE, &["me", "sessions", &id.to_string()]).await
    }

    /// Ends every browser session of the caller.
    pub async fn end_sessions(&self) -> Result<wire::EndedSessions, Error> {
        self.change(Method::DELETE, &["me", "sessions"]).await
    }

    /// A one-time address that signs a browser in.
    pub async fn login_link(&self) -> Result<wire::LoginLink, Error> {
        self.change(Method::POST, &["login-links"]).await
    }

    /// A one-time address that signs a browser of somebody else in; for administrators.
    pub async fn login_link_for(&self, person: &Handle) -> Result<wire::LoginLink, Error> {
        let link = wire::NewLoginLink { person: Some(person.clone()) };
        self.send(Method::POST, &["login-links"], &link).await
    }

    /// Whether the caller has a password.
    pub async fn password(&self) -> Result<wire::PasswordState, Error> {
        self.get(&["me", "password"], &()).await
    }

    /// Sets or changes the caller's password, or that of whoever the link in it is for.
    pub async fn set_password(&self, password: &wire::NewPassword) -> Result<wire::EndedSessions, Error> {
        self.send(Method::PUT, &["me", "password"], password).await
    }

    /// Begins a device sign-in.
    pub async fn begin_device_login(&self, login: &wire::NewDeviceLogin) -> Result<wire::DeviceLogin, Error> {
        self.send(Method::POST, &["device-logins"], login).await
    }

    /// Asks whether a device sign-in was approved.
    pub async fn poll_device_login(&self, device_code: &str) -> Result<wire::DeviceAnswer, Error> {
        let poll = wire::DevicePoll { device_code: device_code.to_owned() };
        self.send(Method::POST, &["device-logins", "token"], &poll).await
    }

    /// What a device asks for.
    pub async fn device_request(&self, user_code: &str) -> Result<wire::DeviceRequest, Error> {
        self.get(&["device-logins", user_code], &()).await
    }

    /// Answers a device sign-in.
    pub async fn decide_device_login(&self, user_code: &str, approve: bool) -> Result<(), Error> {
        self.order(Method::POST, &["device-logins", user_code, if approve { "approve" } else { "deny" }]).await
    }

    /// Publishers of the hub.
    pub async fn publishers(&self, query: &wire::PageQuery) -> Result<wire::PublisherPage, Error> {
        self.get(&["publishers"], query).await
    }

    /// One publisher.
    pub async fn publisher(&self, handle: &Handle) -> Result<wire::Publisher, Error> {
        self.get(&["publishers", handle.as_str()], &()).await
    }

    /// Makes an organisation.
    pub async fn create_publisher(&self, publisher: &wire::NewPublisher) -> Result<wire::Publisher, Error> {
        self.send(Method::POST, &["publishers"], publisher).await
    }

    /// Changes the name of a publisher for people, and whether its versions must be signed.
    pub async fn change_publisher(
        &self,
        handle: &Handle,
        change: &wire::PublisherChange,
    ) -> Result<wire::Publisher, Error> {
        self.send(Method::PATCH, &["publishers", handle.as_str()], change).await
    }

    /// Every key that a publisher ever signed with, the oldest first.
    pub async fn publisher_keys(&self, handle: &Handle) -> Result<wire::PublisherKeyList, Error> {
        self.get(&["publishers", handle.as_str(), "keys"], &()).await
    }

    /// Registers a key for a publisher.
    pub async fn register_key(
        &self,
        handle: &Handle,
        key: &wire::NewPublisherKey,
    ) -> Result<wire::PublisherKey, Error> {
        self.send(Method::POST, &["publishers", handle.as_str(), "keys"], key).await
    }

    /// Says that a key is not to be believed.
    pub async fn revoke_key(
        &self,
        handle: &Handle,
        key: &str,
        revocation: &wire::KeyRevocation,
    ) -> Result<wire::PublisherKey, Error> {
        self.send(Method::POST, &["publishers", handle.as_str(), "keys", key, "revoke"], revocation).await
    }

    /// What the caller lets versions have.
    pub async fn consents(&self) -> Result<wire::ConsentList, Error> {
        self.get(&["consents"], &()).await
    }

    /// Takes a consent back.
    pub async fn revoke_consent(&self, id: ConsentId) -> Result<(), Error> {
        self.order(Method::DELETE, &["consents", &id.to_string()]).await
    }

    /// What runs of a version were seen to do.
    pub async fn observed(&self, name: &Name<'_>, version: &str) -> Result<wire::ObservedBehaviour, Error> {
        let path = ["skills", name.0.as_str(), name.1.as_str(), "versions", version, "observed"];
        self.get(&path, &()).await
    }

    /// Lets others see what runs in a publisher's name do, or ends that.
    pub async fn share_behaviour(&self, handle: &Handle, share: bool) -> Result<(), Error> {
        let method = if share { Method::PUT } else { Method::DELETE };
        self.order(method, &["publishers", handle.as_str(), "shared-behaviour"]).await
    }

    /// The members of a publisher.
    pub async fn members(&self, handle: &Handle) -> Result<wire::MemberList, Error> {
        self.get(&["publishers", handle.as_str(), "members"], &()).await
    }

    /// Takes somebody in, or changes what they may do.
    pub async fn set_member(
        &self,
        handle: &Handle,
        person: &Handle,
        role: wire::MemberRole,
    ) -> Result<wire::Member, Error> {
        self.send(Method::PUT, &["publishers", handle.as_str(), "members", person.as_str()], &role).await
    }

    /// Takes somebody out.
    pub async fn remove_member(&self, handle: &Handle, person: &Handle) -> Result<(), Error> {
        self.order(Method::DELETE, &["publishers", handle.as_str(), "members", person.as_str()]).await
    }

    /// People of the hub.
    pub async fn people(&self, query: &wire::PageQuery) -> Result<wire::PersonPage, Error> {
        self.get(&["people"], query).await
    }

    /// Makes a person.
    pub async fn create_person(&self, person: &wire::NewPerson) -> Result<wire::Person, Error> {
        self.send(Method::POST, &["people"], person).await
    }

    /// Makes a token for another person; for administrators.
    pub async fn create_token_for(&self, handle: &Handle, token: &wire::NewToken) -> Result<wire::IssuedToken, Error> {
        self.send(Method::POST, &["people", handle.as_str(), "tokens"], token).await
    }

    /// Changes a person.
    pub async fn change_person(&self, handle: &Handle, change: &wire::PersonChange) -> Result<wire::Person, Error> {
        self.send(Method::PATCH, &["people", handle.as_str()], change).await
    }

    /// Lines of the audit trail, newest first.
    pub async fn audit(&self, query: &wire::AuditQuery) -> Result<wire::AuditPage, Error> {
        self.get(&["audit"], query).await
    }
}
