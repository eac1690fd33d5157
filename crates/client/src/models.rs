use kontor_wire as wire;
use reqwest::Method;

use crate::{Client, Error};

impl Client {
    /// Use of models added up.
    pub async fn model_use(&self, query: &wire::ModelUseQuery) -> Result<wire::ModelUseList, Error> {
        self.get(&["usage"], query).await
    }

    /// The budgets for models that the caller may see.
    pub async fn budgets(&self) -> Result<wire::BudgetList, Error> {
        self.get(&["budgets"], &()).await
    }

    /// The budgets of one owner, one for each currency.
    pub async fn budget(&self, owner: &str) -> Result<wire::BudgetList, Error> {
        self.get(&["budgets", owner], &()).await
    }

    /// Sets the limit of a budget.
    pub async fn set_budget(&self, owner: &str, limit: &wire::BudgetLimit) -> Result<wire::Budget, Error> {
        self.send(Method::PUT, &["budgets", owner], limit).await
    }

    /// Lets nothing more be spent from an owner's budgets.
    pub async fn close_budget(&self, owner: &str) -> Result<(), Error> {
        self.order(Method::DELETE, &["budgets", owner]).await
    }
}
