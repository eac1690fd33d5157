//! Domain values as the wire has them.

use kontor_access::{AuditEvent, ExposeSecret as _, IssuedToken, KnownPublisher, Member, OwnToken, Person};
use kontor_wire as wire;

pub(super) fn person(person: Person) -> wire::Person {
    wire::Person {
        id: person.id,
        handle: person.handle,
        name: person.display_name,
        administrator: person.administrator,
        created_at: person.created_at,
        disabled_at: person.disabled_at,
    }
}

pub(super) fn publisher(known: KnownPublisher) -> wire::Publisher {
    wire::Publisher {
        handle: known.publisher.handle,
        kind: known.publisher.kind,
        name: known.publisher.display_name,
        created_at: known.publisher.created_at,
        require_signature: known.publisher.require_signature,
        role: known.role,
    }
}

pub(super) fn member(member: Member) -> wire::Member {
    wire::Member { person: member.handle, name: member.display_name, role: member.role, created_at: member.created_at }
}

pub(super) fn token(own: OwnToken) -> wire::Token {
    wire::Token {
        id: own.token.id,
        label: own.token.label,
        scopes: own.token.scopes,
        publishers: own.publishers,
        created_at: own.token.created_at,
        expires_at: own.token.expires_at,
        last_used_at: own.token.last_used_at,
        revoked_at: own.token.revoked_at,
    }
}

pub(super) fn issued(issued: IssuedToken) -> wire::IssuedToken {
    wire::IssuedToken { secret: issued.secret.expose_secret().to_owned(), token: token(issued.own) }
}

pub(super) fn audit(event: AuditEvent) -> wire::AuditEntry {
    wire::AuditEntry {
        id: event.id,
        at: event.at,
        action: event.action,
        person: event.person.and_then(|handle| handle.parse().ok()),
        token: event.token_id,
        publisher: event.publisher.and_then(|handle| handle.parse().ok()),
        subject: event.subject,
        detail: event.detail,
        address: event.address,
        request_id: event.request_id,
    }
}
