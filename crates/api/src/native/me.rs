//! Who the caller is.

use axum::extract::State;
use kontor_wire::{Me, Membership};
use utoipa_axum::routes;

use crate::extract::Json;
use crate::{Asker, Class, Failure, Hub, NativeRoutes};

pub(crate) fn routes() -> NativeRoutes {
    NativeRoutes::new().add(Class::Read, routes!(whoami))
}

/// Who the caller is and what they may do.
#[utoipa::path(get, path = "/whoami", tag = "people", responses((status = 200, body = Me)))]
async fn whoami(State(hub): State<Hub>, Asker(caller): Asker) -> Result<Json<Me>, Failure> {
    let access = &hub.app.access;
    let person = access.me(&caller).await?;
    let memberships = access.memberships(&caller).await?;
    let publishers = memberships.into_iter().map(|row| Membership { publisher: row.handle, role: row.role }).collect();
    Ok(Json(Me {
        id: person.id,
        handle: person.handle,
        name: person.display_name,
        administrator: person.administrator,
        scopes: caller.scopes.clone(),
        publishers,
        expires_at: access.token_end(&caller).await?,
    }))
}
