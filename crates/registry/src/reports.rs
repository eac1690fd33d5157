//! Reports of abuse: anybody who is signed in makes them, administrators decide.

use kontor_access::{Caller, audit};
use kontor_db::reports::{self, Filter as ReportFilter, NewReport, Report, ReportState};
use kontor_types::{Cursor, Page, PageSize, ReportId, Scope, SkillRef, VersionId, Viewer};
use serde_json::json;

use crate::registry::{event, name_of};
use crate::versions::checked;
use crate::{Error, Registry};

impl Registry {
    /// Reports a skill, or one version of it. A second report of the same by the same person is the first one.
    pub async fn report(&self, caller: &Caller, reference: &SkillRef, reason: &str) -> Result<Report, Error> {
        caller.require(Scope::Read)?;
        let person = caller.require_person()?;
        let reason = checked(reason)?;
        if reason.is_empty() {
            return Err(Error::invalid("say what is wrong with the skill"));
        }
        let (skill, version): (_, Option<VersionId>) = match &reference.version {
            Some(_) => {
                let found = self.version(caller.viewer(), reference).await?;
                (found.skill, Some(found.version.id))
            }
            None => (self.skill(caller.viewer(), reference).await?.into(), None),
        };
        let (caller, now) = (caller.clone(), self.now());
        self.write(move |tx| {
            let (caller, skill, reason) = (caller.clone(), skill.clone(), reason.clone());
            Box::pin(async move {
                let known = reports::open_by(tx, skill.id, version, person).await?;
                let id = known.unwrap_or_else(|| ReportId::new(now));
                if known.is_none() {
                    let new = NewReport { id, skill_id: skill.id, version_id: version, person_id: person, reason, now };
                    reports::insert(tx, &new).await?;
                    let event = event("report.make", skill.publisher_id, &name_of(&skill), json!({"report": id}));
                    audit::record(tx, &caller, event, now).await?;
                }
                reports::find(tx, &Viewer::hub(), id).await?.ok_or(Error::NotFound { what: "report" })
            })
        })
        .await
    }

    /// Reports that the caller made, or all for an administrator, the newest first.
    pub async fn reports(
        &self,
        caller: &Caller,
        filter: &ReportFilter,
        size: PageSize,
        after: Option<&Cursor>,
    ) -> Result<Page<Report>, Error> {
        caller.require_person()?;
        reports::list(&mut self.read().await?, caller.viewer(), filter, size, after).await?.ok_or(Error::Cursor)
    }

    /// Decides a report and answers who made it. What follows for the skill is decided apart: see [`Registry::hide`].
    pub async fn close_report(
        &self,
        caller: &Caller,
        id: ReportId,
        upheld: bool,
        answer: &str,
    ) -> Result<Report, Error> {
        caller.require_administrator()?;
        let answer = checked(answer)?;
        let found = reports::find(&mut self.read().await?, caller.viewer(), id).await?;
        let report = found.ok_or(Error::NotFound { what: "report" })?;
        let state = if upheld { ReportState::Upheld } else { ReportState::Dismissed };
        let (caller, now) = (caller.clone(), self.now());
        self.write(move |tx| {
            let (caller, answer, report) = (caller.clone(), answer.clone(), report.clone());
            Box::pin(async move {
                if !reports::close(tx, report.id, state, caller.person_id(), &answer, now).await? {
                    return Err(Error::conflict("the report was decided already", "look at it again"));
                }
                let subject = SkillRef::new(report.publisher.clone(), report.slug.clone());
                let event = audit::Event::new("report.decide", subject.to_string())
                    .detail(json!({"report": report.id, "decision": state.as_str()}));
                audit::record(tx, &caller, event, now).await?;
                reports::find(tx, &Viewer::hub(), report.id).await?.ok_or(Error::NotFound { what: "report" })
            })
        })
        .await
    }
}
