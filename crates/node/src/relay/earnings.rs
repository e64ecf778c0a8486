// SPDX-License-Identifier: Apache-2.0
//! What the relay earned, back into the account that pays: when that runs low, what waits at the oracle is
//! withdrawn.

use std::{sync::Arc, time::Duration};

use alloy_primitives::U256;
use subrosa_types::entry::GWEI;
use tracing::{debug, warn};

use super::needs::Needs;
use crate::{chain::ChainAccessError, shutdown::Shutdown};

/// Looks after the account until shutdown.
pub(super) async fn run(needs: Arc<Needs>, mut shutdown: Shutdown) {
    let clock = Arc::clone(&needs.clock);
    while !shutdown.is_requested() {
        match shutdown.cancel(withdraw(&needs)).await {
            Some(Err(error)) => {
                warn!(
                    error = &error as &dyn std::error::Error,
                    "earnings stay at the oracle"
                );
            }
            Some(Ok(())) => {}
            None => return,
        }
        shutdown.cancel(clock.sleep(INTERVAL)).await;
    }
}

/// Withdraws if the account has less than it should, and there is that much to withdraw.
async fn withdraw(needs: &Needs) -> Result<(), ChainAccessError> {
    let low = U256::from(needs.settings.withdraw_below_gwei) * U256::from(GWEI);
    if low.is_zero() {
        return Ok(());
    }
    let account = needs.chain.address();
    let balance = needs.chain.balance(account).await?;
    if balance >= low {
        return Ok(());
    }
    let earned = needs.chain.earned(account).await?;
    let cost = U256::from(needs.chain.gas_price().await?) * U256::from(WITHDRAWAL_GAS);
    // Not for what the transaction itself would eat up.
    if earned < cost * U256::from(10) {
        return Ok(());
    }
    let transaction = needs.transactions.withdraw().await?;
    debug!(%transaction, amount = %earned, "withdrew what was earned");
    Ok(())
}

const INTERVAL: Duration = Duration::from_secs(60);
const WITHDRAWAL_GAS: u64 = 60_000;
