// SPDX-License-Identifier: Apache-2.0
//! `subrosa_attestation`: everything a client appraises before it encrypts.

use alloy_sol_types::SolValue;
use subrosa_types::Challenge;
use subrosa_types::rpc::{Attestation, AttestationRequest, EpochPublicKeys};

use super::{context::Context, error::RpcError};

/// Evidence over the client's challenge, the verifier's result over the same evidence if there is a
/// verifier, and what both are about. All of it is for the client to check.
pub(super) async fn attestation(
    context: &Context,
    request: AttestationRequest,
) -> Result<Attestation, RpcError> {
    let challenge = request.challenge;
    if !CHALLENGE_BYTES.contains(&challenge.len()) {
        return Err(RpcError::Challenge(challenge.len()));
    }
    let serving = context.stage.now().ok_or(RpcError::NotReady)?;
    let (bundle, ear) = context
        .wait_for(async {
            // Never anything else, whatever the bytes: nobody registers a signer by asking here.
            let asked = Challenge::Client(challenge.to_vec());
            let bundle = serving.link.quote(asked).await?;
            let Some(verifier) = &context.verifier else {
                return Ok((bundle, None));
            };
            let (ear, bundle) = verifier
                .appraise(&bundle, &challenge, &serving.started)
                .await
                .map_err(RpcError::Verifier)?;
            Ok::<_, RpcError>((bundle, Some(ear)))
        })
        .await??;
    let keys = &serving.keys;
    Ok(Attestation {
        bundle,
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
    })
}

/// What a verifier accepts as a nonce.
const CHALLENGE_BYTES: std::ops::RangeInclusive<usize> = 16..=64;
