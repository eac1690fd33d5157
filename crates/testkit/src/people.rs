use kontor_access::{Caller, Error, ExposeSecret as _, NewPerson, NewToken};
use kontor_types::Scope;

use crate::TestHub;

/// A person with a token of every scope.
#[derive(Debug, Clone)]
pub struct Person {
    /// The handle, also of the person's own publisher.
    pub handle: String,
    /// The token.
    pub token: String,
}

impl TestHub {
    /// Makes an ordinary person.
    pub async fn person(&self, name: &str) -> Result<Person, Error> {
        let handle =
            name.parse().map_err(|error: kontor_types::NameError| Error::Invalid { reason: error.to_string() })?;
        let new = NewPerson { handle, display_name: name.to_owned(), administrator: false };
        let person = self.app.access.create_person(&Caller::hub(), new).await?;
        let wanted = NewToken { label: "test".to_owned(), scopes: Scope::ALL.to_vec(), ..NewToken::default() };
        let issued = self.app.access.create_token_for(&Caller::hub(), &person.handle, wanted).await?;
        Ok(Person { handle: person.handle.to_string(), token: issued.secret.expose_secret().to_owned() })
    }
}
