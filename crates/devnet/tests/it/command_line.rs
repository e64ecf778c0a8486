// SPDX-License-Identifier: Apache-2.0
//! The executable `subrosa` as accounts use it.

use std::process::{Command, Output};

use alloy::providers::Provider;
use alloy_primitives::{Address, U256};
use serde_json::Value;
use subrosa_chain::bindings::SubrosaOracle;
use subrosa_devnet::{DevAccount, Devnet, Executable};
use subrosa_types::{
    ContractId,
    entry::{GWEI, Payment},
};

use crate::scene::Scene;

/// Runs `subrosa` for one account of a network.
pub(crate) struct Cli<'a> {
    network: &'a Devnet,
    account: &'a DevAccount,
}

impl<'a> Cli<'a> {
    /// As the account with this number.
    pub(crate) fn of(scene: &'a Scene, account: usize) -> Self {
        Self {
            network: &scene.network,
            account: &scene.network.accounts()[account],
        }
    }

    /// As the one who governs.
    pub(crate) fn governing(scene: &'a Scene) -> Self {
        Self {
            network: &scene.network,
            account: scene.network.deployer(),
        }
    }

    /// What a command that succeeds prints as JSON.
    #[track_caller]
    pub(crate) fn run(&self, arguments: &[&str]) -> Value {
        let output = self.output(arguments);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{arguments:?}: {errors}");
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// What a command that fails says.
    #[track_caller]
    pub(crate) fn refused(&self, arguments: &[&str]) -> String {
        let output = self.output(arguments);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}");
        assert!(output.stdout.is_empty(), "{arguments:?}");
        String::from_utf8(output.stderr).unwrap()
    }

    fn output(&self, arguments: &[&str]) -> Output {
        let layout = self.network.layout();
        let mut command = Command::new(Executable::Subrosa.locate(None).unwrap());
        command.args(arguments).args(["--json", "--quiet"]);
        command.env("SUBROSA_DEPLOYMENT", layout.deployment_file());
        command.env(
            "SUBROSA_PRIVATE_KEY",
            self.account.private_key().to_string(),
        );
        command.output().unwrap()
    }
}

/// A number that a command printed.
#[track_caller]
pub(crate) fn number(value: &Value) -> U256 {
    match value {
        Value::Number(number) => U256::from(number.as_u64().unwrap()),
        value => value.as_str().unwrap().parse().unwrap(),
    }
}

/// What accounts have, and what waits for them at the oracle.
pub(crate) struct Purse<'a>(pub(crate) &'a Scene);

impl Purse<'_> {
    pub(crate) async fn balance(&self, account: Address) -> U256 {
        let provider = self.0.network.provider();
        provider.get_balance(account).await.unwrap()
    }

    pub(crate) async fn waiting(&self, account: Address) -> U256 {
        let oracle = self.0.oracle();
        oracle.balanceOf(account).call().await.unwrap()
    }

    /// What the relay has earned.
    pub(crate) async fn relay(&self) -> U256 {
        self.waiting(self.0.network.relay().address()).await
    }

    /// The parts of an entry's fee, as it was appended.
    pub(crate) async fn parts(&self, contract: ContractId, seq: u64) -> Parts {
        let appended = self
            .0
            .events::<SubrosaOracle::EntryAppended>(Some(contract))
            .await;
        let payment = appended
            .into_iter()
            .map(|(event, _)| Payment::unpack(event.payment))
            .find(|payment| payment.seq == seq);
        let payment = payment.unwrap();
        Parts {
            landing: wei(payment.landing),
            callback: wei(payment.callback),
            charge: wei(payment.charge),
        }
    }
}

/// Of a fee, in wei.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Parts {
    pub(crate) landing: U256,
    pub(crate) callback: U256,
    pub(crate) charge: U256,
}

impl Parts {
    pub(crate) fn whole(&self) -> U256 {
        self.landing + self.callback + self.charge
    }
}

pub(crate) fn wei(gwei: u64) -> U256 {
    U256::from(gwei) * U256::from(GWEI)
}

/// Somebody who has nothing yet.
pub(crate) fn nobody(number: u8) -> Address {
    Address::repeat_byte(0xa0 + number)
}
