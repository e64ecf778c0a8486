// SPDX-License-Identifier: Apache-2.0
//! The contracts, generated from `contracts/artifacts`.
//!
//! Structs that also exist in [`subrosa_types::abi`] convert to and from it.
#![allow(
    missing_docs,
    unreachable_pub,
    clippy::all,
    reason = "generated from the artifacts; the interfaces in contracts/src carry the documentation"
)]

alloy::sol!(
    #[sol(rpc, all_derives)]
    SubrosaOracle,
    "../../contracts/artifacts/SubrosaOracle.json"
);

alloy::sol!(
    #[sol(rpc, all_derives)]
    SubrosaRegistry,
    "../../contracts/artifacts/SubrosaRegistry.json"
);

alloy::sol!(
    #[sol(rpc, all_derives)]
    SubrosaDcap,
    "../../contracts/artifacts/SubrosaDcap.json"
);

alloy::sol!(
    #[sol(rpc, all_derives)]
    SubrosaMailbox,
    "../../contracts/artifacts/SubrosaMailbox.json"
);

alloy::sol!(
    #[sol(rpc, all_derives)]
    AccessManager,
    "../../contracts/artifacts/AccessManager.json"
);

alloy::sol!(
    #[sol(rpc, all_derives)]
    SubrosaPrepaid,
    "../../contracts/artifacts/SubrosaPrepaid.json"
);
