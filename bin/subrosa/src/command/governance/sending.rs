// SPDX-License-Identifier: Apache-2.0
//! How an act of governance is sent, and by whom.

use clap::Args;
use eyre::Result;
use subrosa_client::{Act, Connection, Governed};
use subrosa_types::id::TeeKind;

use crate::{
    args::{deployment::DeploymentArgs, key::KeyArgs},
    output::{self, Output},
};

#[derive(Debug, Args)]
pub(super) struct Common {
    #[command(flatten)]
    pub(super) deployment: DeploymentArgs,
    #[command(flatten)]
    pub(super) key: KeyArgs,
}

pub(super) async fn govern(
    connection: &Connection,
    act: &Act,
    key: &KeyArgs,
    output: &Output,
) -> Result<()> {
    let account = key.required()?;
    let governed = connection.govern(act, &account).await?;
    output.result(&governed, |governed| match governed {
        Governed::Done { transaction } => output::pairs(&[
            ("outcome", "done".to_owned()),
            ("transaction", transaction.to_string()),
        ]),
        Governed::Scheduled {
            transaction,
            ready_at,
        } => output::pairs(&[
            ("outcome", "scheduled: ask again then".to_owned()),
            ("ready at", ready_at.to_string()),
            ("transaction", transaction.to_string()),
        ]),
        Governed::Waiting { ready_at } => output::pairs(&[
            ("outcome", "scheduled before: ask again then".to_owned()),
            ("ready at", ready_at.to_string()),
        ]),
    })
}

pub(super) fn tee_kind(text: &str) -> Result<TeeKind, String> {
    let known = TeeKind::ALL.into_iter().find(|kind| kind.as_str() == text);
    known.ok_or_else(|| {
        let names: Vec<_> = TeeKind::ALL.iter().map(|kind| kind.as_str()).collect();
        format!("one of {}", names.join(", "))
    })
}
