// SPDX-License-Identifier: Apache-2.0
//! The auction's two contracts, and transactions to the house.

#![allow(
    missing_docs,
    clippy::all,
    reason = "generated from the contracts' ABI"
)]

use alloy::{
    network::EthereumWallet,
    providers::{DynProvider, Provider, ProviderBuilder},
    sol,
};
use subrosa_client::Account;

sol!(
    #[sol(rpc)]
    AuctionHouse,
    "artifacts/AuctionHouse.json"
);
sol!(SealedBidAuction, "artifacts/SealedBidAuction.json");

/// A connection to the chain whose transactions `account` signs.
pub(crate) fn signed_by(provider: &DynProvider, account: &Account) -> DynProvider {
    ProviderBuilder::new()
        // Accounts also send through the client, so the chain is asked for the next nonce.
        .with_simple_nonce_management()
        .wallet(EthereumWallet::from(account.clone()))
        .connect_provider(provider.clone())
        .erased()
}
