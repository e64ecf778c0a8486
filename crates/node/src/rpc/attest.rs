// SPDX-License-Identifier: Apache-2.0
//! `subrosa_attestation`: everything a client appraises before it encrypts.

use alloy_sol_types::SolValue;
use subrosa_types::rpc::{Attestation, AttestationRequest, EpochPublicKeys};

use super::{context::Context, error::RpcError};

/// Evidence over the client's challenge, the signer's statement, the verifier's result over the same
/// evidence if there is a verifier, and what they are about. All of it is for the client to check.
pub(super) async fn attestation(
    context: &Context,
    request: AttestationRequest,
) -> Result<Attestation, RpcError> {
    let challenge = request.challenge;
    if !CHALLENGE_BYTES.contains(&challenge.len()) {
        return Err(RpcError::Challenge(challenge.len()));
    }
    let serving = context.stage.now().ok_or(RpcError::NotReady)?;
    let (attested, ear) = context
        .wait_for(async {
            let tip = context.chain.tip().await?;
            let header = context.chain.header(tip.hash).await?;
            let epoch = serving.keys.epoch;
            let mut attested = serving
                .link
                .attest(challenge.to_vec(), epoch, header)
                .await?;
            let Some(verifier) = &context.verifier else {
                return Ok((attested, None));
            };
            let (ear, bundle) = verifier
                .appraise(&attested.bundle, &challenge, &serving.started)
                .await
                .map_err(RpcError::Verifier)?;
            attested.bundle = bundle;
            Ok::<_, RpcError>((attested, Some(ear)))
        })
        .await??;
    let keys = &serving.keys;
    Ok(Attestation {
        bundle: attested.bundle,
        ear,
        config: context.settings.enclave_config.abi_encode().into(),
        signer: serving.started.signer,
        transfer_key: serving.started.transfer_key.clone(),
        start_hash: serving.started.start_hash,
        epoch: EpochPublicKeys {
            group: keys.group,
            epoch: keys.epoch,
            xwing: keys.xwing.clone(),
            x25519: keys.x25519,
        },
        epoch_opening: serving.opening.clone().into(),
        statement: attested.statement.abi_encode().into(),
        signature: attested.signature,
    })
}

/// What a verifier accepts as a nonce.
const CHALLENGE_BYTES: std::ops::RangeInclusive<usize> = 16..=64;
