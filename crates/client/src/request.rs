// SPDX-License-Identifier: Apache-2.0
//! Calls of confidential contracts by an account.

use alloy_primitives::{Address, B256, Bytes, U256};
use subrosa_types::{
    ContractId,
    entry::{FLAG_CALLBACK_EXPIRES, FLAG_INPUT_SEALED, FLAG_OPENS_SESSION},
    price::Asked,
    terms::Terms,
};

use crate::{
    Account, Attested, CallSession, CallTarget, ClientError, Connection, ReplyKey, Sealing, Ticket,
};

/// A call of a confidential contract.
#[derive(Clone, Copy)]
pub struct CallRequest<'a> {
    /// The contract.
    pub contract: ContractId,
    /// ABI-encoded call.
    pub input: &'a [u8],
    /// Where the output is sealed to; without one it is public.
    pub reply: Option<&'a ReplyKey>,
    /// What the requester asserts about the user it asks for.
    pub context: B256,
    /// Fuel the call may use.
    pub fuel_limit: u64,
    /// Gas for the callback of the requester; zero for an account that has none.
    pub callback_gas_limit: u32,
    /// Whether the callback is not to be made after the deadline.
    pub callback_expires: bool,
    /// Seconds from now after which the fee can be taken back; never less than the contract's
    /// policy demands.
    pub deadline: u64,
    /// Bytes of output that are paid for, before it is padded and sealed (24 bits together); a call that
    /// yields more fails.
    pub output_limit: u32,
    /// The version of the code that is meant: the oracle refuses the request if another one runs by then.
    pub code_version: Option<u16>,
    /// Whom refunds go to; zero for the account that asks.
    pub refund_to: Address,
    /// Wei to pay, all of it; `None` pays what the oracle asks, with a margin for the base fee to rise
    /// before the request is mined. What is more goes to whoever lands the result.
    pub fee: Option<U256>,
    /// The largest charge of the contract's owner that is agreed to, gwei: the oracle refuses the request if
    /// it is raised above it. `None` takes the charge at the time of asking, at least one gwei; zero agrees
    /// to any.
    pub maximum_charge_gwei: Option<u64>,
    /// How the input is sealed.
    pub sealing: Sealing,
}

impl<'a> CallRequest<'a> {
    /// A call with up to a kilobyte of public output, without callback, for what the oracle asks.
    pub fn new(contract: ContractId, input: &'a [u8]) -> Self {
        Self {
            contract,
            input,
            reply: None,
            context: B256::ZERO,
            fuel_limit: DEFAULT_FUEL,
            callback_gas_limit: 0,
            callback_expires: false,
            deadline: DEFAULT_DEADLINE,
            output_limit: DEFAULT_OUTPUT,
            code_version: None,
            refund_to: Address::ZERO,
            fee: None,
            maximum_charge_gwei: None,
            sealing: Sealing::default(),
        }
    }
}

impl CallRequest<'_> {
    /// Bytes of output that are paid for: as long as they are once they are padded and sealed, if they are.
    fn output_bytes(&self, flags: u16) -> u32 {
        let is_sealed = flags & FLAG_INPUT_SEALED != 0;
        // In a session it is not seen here whether its opening named a key.
        if !is_sealed {
            return self.output_limit;
        }
        let padded = self.output_limit.saturating_add(4).max(64);
        padded
            .checked_next_power_of_two()
            .unwrap_or(u32::MAX)
            .saturating_add(SEALING_BYTES)
    }
}

impl std::fmt::Debug for CallRequest<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The input is the secret.
        f.debug_struct("CallRequest")
            .field("contract", &self.contract)
            .field("input_bytes", &self.input.len())
            .finish_non_exhaustive()
    }
}

impl Attested {
    /// Seals `call` for `account` and appends it to the contract's log. The oracle refuses it if the
    /// contract has left the attested epoch by then.
    ///
    /// # Errors
    ///
    /// As [`Attested::seal_call`] and [`Attested::check_contract`];
    /// [`ChainError`](crate::ChainError) if the oracle refuses the request.
    pub async fn request(
        &self,
        call: &CallRequest<'_>,
        account: &Account,
    ) -> Result<Ticket, ClientError> {
        let target = self.checked_target(call, account).await?;
        let sealed = self.seal_call(&target, call.input, call.reply, call.sealing)?;
        self.connection()
            .append(
                call,
                FLAG_INPUT_SEALED,
                self.epoch_id().epoch,
                sealed.envelope,
                account,
            )
            .await
    }

    /// As [`Attested::request`], and opens a session for the calls after it.
    ///
    /// # Errors
    ///
    /// As [`Attested::request`].
    pub async fn request_opening_session(
        &self,
        call: &CallRequest<'_>,
        account: &Account,
    ) -> Result<(Ticket, CallSession), ClientError> {
        let target = self.checked_target(call, account).await?;
        let (sealed, pending) =
            self.seal_call_opening_session(&target, call.input, call.reply, call.sealing)?;
        let flags = FLAG_INPUT_SEALED | FLAG_OPENS_SESSION;
        let ticket = self
            .connection()
            .append(call, flags, self.epoch_id().epoch, sealed.envelope, account)
            .await?;
        Ok((ticket, pending.opened(call.contract, ticket.seq)))
    }

    /// As [`Attested::request`], in a session. The output goes to the reply key of the call that
    /// opened it; `call.reply` and the suite of `call.sealing` have no effect.
    ///
    /// # Errors
    ///
    /// As [`Attested::request`] and [`Attested::seal_call_in_session`].
    pub async fn request_in_session(
        &self,
        session: &CallSession,
        call: &CallRequest<'_>,
        account: &Account,
    ) -> Result<Ticket, ClientError> {
        let target = self.checked_target(call, account).await?;
        let lifetime = call.sealing.lifetime;
        let sealed = self.seal_call_in_session(session, &target, call.input, lifetime)?;
        self.connection()
            .append(
                call,
                FLAG_INPUT_SEALED,
                session.epoch().epoch,
                sealed.envelope,
                account,
            )
            .await
    }

    /// Who `account`'s call is sealed for, once contract and signer are checked again.
    pub(crate) async fn checked_target(
        &self,
        call: &CallRequest<'_>,
        account: &Account,
    ) -> Result<CallTarget, ClientError> {
        self.check_contract(call.contract).await?;
        self.recheck().await?;
        Ok(CallTarget {
            contract: call.contract,
            requester: account.address(),
            context: call.context,
        })
    }
}

impl Connection {
    /// Appends a call whose input everybody may read. Needs no attestation, since nothing is
    /// encrypted; a reply key has no effect, and the output is public.
    ///
    /// # Errors
    ///
    /// [`ChainError`](crate::ChainError) if the oracle refuses the request.
    pub async fn request_in_the_clear(
        &self,
        call: &CallRequest<'_>,
        account: &Account,
    ) -> Result<Ticket, ClientError> {
        let input = Bytes::copy_from_slice(call.input);
        self.append(call, 0, ANY_EPOCH, input, account).await
    }

    /// Appends a call whose input is sealed or not, as the execution flags say. `key_epoch` is the
    /// epoch it is sealed to.
    pub(crate) async fn append(
        &self,
        call: &CallRequest<'_>,
        flags: u16,
        key_epoch: u32,
        input: Bytes,
        account: &Account,
    ) -> Result<Ticket, ClientError> {
        let log = self.chain.log(call.contract).await?;
        let margin = u64::from(log.minimum_deadline).saturating_add(DEADLINE_MARGIN);
        let deadline = self.clock.now().saturating_add(call.deadline.max(margin));
        let output_limit = call.output_bytes(flags);
        let charge = u64::try_from(log.charge_gwei()).unwrap_or(u64::MAX);
        let asked = Asked {
            input: input.len() as u64,
            output: output_limit.into(),
            callback_gas: call.callback_gas_limit.into(),
            fuel: call.fuel_limit,
            ..Asked::default()
        };
        let fee = match call.fee {
            Some(fee) => fee,
            None => self.quote(call.contract, &asked).await?,
        };
        let terms = Terms {
            execution_flags: flags as u8,
            settlement_flags: if call.callback_expires {
                FLAG_CALLBACK_EXPIRES as u8
            } else {
                0
            },
            fuel_limit: call.fuel_limit,
            callback_gas_limit: call.callback_gas_limit,
            deadline,
            maximum_charge_gwei: call.maximum_charge_gwei.unwrap_or(charge.max(LEAST_BOUND)),
            output_limit,
            key_epoch,
            code_version: call.code_version,
        };
        let oracle = self.chain.oracle_as(account);
        let transaction = oracle
            .request(
                call.contract,
                call.context,
                terms.pack(),
                call.refund_to,
                input,
            )
            .value(fee);
        let receipt = self.chain.send("requesting", transaction).await?;
        self.ticket("requesting", call.contract, &receipt).await
    }
}

/// For terms that hold the contract to no epoch.
const ANY_EPOCH: u32 = 0;
/// The least charge that terms can hold a contract to, gwei: zero is any.
const LEAST_BOUND: u64 = 1;
/// Bytes of output of a call that names none.
const DEFAULT_OUTPUT: u32 = 1_024;
/// More than sealing adds to an output: header, encapsulated key, tag.
const SEALING_BYTES: u32 = 1_120 + 64;
/// Fuel of a call that names none.
const DEFAULT_FUEL: u64 = 10_000_000;
/// Seconds until the fee of a request that names no deadline can be taken back.
const DEFAULT_DEADLINE: u64 = 3600;
/// Seconds added to the least deadline: the chain's clock may be ahead of this one, and mining
/// takes time.
pub(crate) const DEADLINE_MARGIN: u64 = 300;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_does_not_print_its_input() {
        let call = CallRequest::new(B256::ZERO, b"secret bid");
        let printed = format!("{call:?}");
        assert!(
            !printed.contains("secret") && !printed.contains("115"),
            "{printed}"
        );
        assert!(printed.contains("input_bytes: 10"));
    }
}
