// SPDX-License-Identifier: Apache-2.0
//! Collateral on a chain: what is missing is submitted, what is there is left alone, what is refused
//! is named.

use alloy::{
    primitives::{B256, keccak256},
    providers::ext::AnvilApi,
    sol_types::{SolConstructor, SolError},
};
use subrosa_chain::{
    ChainError, Endpoints, Sender,
    bindings::SubrosaDcap::{self, SubrosaDcapInstance},
    connect,
    dcap::{
        Collateral, CollateralDocument, Dcap, DcapError, MAX_COLLATERAL_BYTES, MAX_QUOTE_BYTES,
        Quoted, Standing, evidence_parts,
    },
    send::{Call, unrecorded},
};
use subrosa_evidence::{DEVELOPMENT_ROOT_ID, EvidenceBundle, EvidencePart, INTEL_SGX_ROOT_ID};
use subrosa_tee::forge::{Fault, Forge};
use subrosa_types::id::TeeKind;

use crate::{anvil::Anvil, scene};

fn bundle(forge: &Forge) -> EvidenceBundle {
    forge.evidence()
}

fn collateral(forge: &Forge) -> Collateral {
    Collateral::from_json(bundle(forge).collateral()).unwrap()
}

struct Place {
    dcap: Dcap,
    contract: SubrosaDcapInstance<alloy::providers::DynProvider>,
    sender: Sender,
    _anvil: Anvil,
}

/// A contract that pins `root`, in 2026.
async fn place(root: B256) -> Place {
    let anvil = Anvil::start(&["--timestamp", "1780272000"]);
    let provider = connect(&Endpoints::parse(&anvil.http()).unwrap())
        .await
        .unwrap();
    let sender = Sender::new(provider.clone(), scene::key(), scene::quick())
        .await
        .unwrap();
    let constructor = SubrosaDcap::constructorCall {
        rootIds: vec![root],
    };
    let code = [SubrosaDcap::BYTECODE.as_ref(), &constructor.abi_encode()].concat();
    let mut pending = sender
        .send(Call::create(code.into()), unrecorded())
        .await
        .unwrap();
    let receipt = pending.receipt(scene::SOON).await.unwrap();
    let address = receipt.contract_address.unwrap();
    Place {
        dcap: Dcap::new(address, provider.clone()),
        contract: SubrosaDcapInstance::new(address, provider),
        sender,
        _anvil: anvil,
    }
}

async fn submit(place: &Place, documents: &[&CollateralDocument]) -> usize {
    let submissions = place.dcap.submissions(documents);
    for submission in &submissions {
        let mut pending = place
            .sender
            .send(submission.call.clone(), unrecorded())
            .await
            .unwrap();
        assert!(pending.receipt(scene::SOON).await.unwrap().status());
    }
    submissions.len()
}

#[tokio::test]
async fn what_is_missing_is_stored_in_one_transaction_and_then_left_alone() {
    let place = place(DEVELOPMENT_ROOT_ID).await;
    let collateral = collateral(&Forge::new());
    for document in &collateral.documents {
        assert_eq!(
            place.dcap.standing(document).await.unwrap(),
            Standing::Missing,
            "{}",
            document.kind
        );
        assert_eq!(
            place.dcap.refusal(document).await.unwrap(),
            None,
            "{}",
            document.kind
        );
    }
    let documents: Vec<&CollateralDocument> = collateral.documents.iter().collect();
    assert_eq!(submit(&place, &documents).await, 1);

    let stored = place
        .contract
        .CollateralStored_filter()
        .from_block(0)
        .query()
        .await
        .unwrap();
    assert_eq!(stored.len(), 4);
    for document in &collateral.documents {
        let Standing::Same(kept) = place.dcap.standing(document).await.unwrap() else {
            panic!("{} is not there", document.kind);
        };
        assert_eq!(
            (kept.issued, kept.evaluation),
            (document.issued, document.evaluation)
        );
        assert!(kept.expires <= document.next_update);
        let (event, _) = stored
            .iter()
            .find(|(event, _)| event.key == document.latest)
            .unwrap();
        assert_eq!(event.digest, document.digest, "{}", document.kind);
        assert_eq!(event.edition, document.edition, "{}", document.kind);
        if !document.edition.is_zero() {
            let key = place.contract.editionKey(document.latest, document.edition);
            assert_eq!(key.call().await.unwrap(), document.key);
        }
    }
    // Keys are those of the contract itself.
    let fmspc = [0x00, 0x5b, 0xd5, 0x00, 0x00, 0x00];
    let keys = [
        place
            .contract
            .rootCrlKey(DEVELOPMENT_ROOT_ID)
            .call()
            .await
            .unwrap(),
        collateral.pck_authority,
        place
            .contract
            .tcbInfoKey(DEVELOPMENT_ROOT_ID, 1, fmspc.into())
            .call()
            .await
            .unwrap(),
        place
            .contract
            .qeIdentityKey(DEVELOPMENT_ROOT_ID, 1)
            .call()
            .await
            .unwrap(),
    ];
    assert_eq!(
        collateral
            .documents
            .each_ref()
            .map(|document| document.latest),
        keys
    );
    let quoted = Quoted::read(bundle(&Forge::new()).quote()).unwrap();
    assert_eq!(quoted.needs().map(|(_, key)| key), keys);
    let kinds = quoted.needs().map(|(kind, _)| kind.to_string());
    assert_eq!(
        kinds,
        [
            "root-crl",
            "pck-authority",
            "tcb-info tdx 005bd5000000",
            "qe-identity tdx"
        ]
    );
}

#[tokio::test]
async fn editions_stand_side_by_side_and_of_lists_the_newest_counts() {
    let place = place(DEVELOPMENT_ROOT_ID).await;
    let [root_crl, _, tcb_info, _] = collateral(&Forge::new()).documents;
    assert_eq!(submit(&place, &[&root_crl, &tcb_info]).await, 1);
    for number in [16, 18] {
        let [_, _, other, _] = collateral(&Forge::new().tcb_evaluation(number)).documents;
        let standing = place.dcap.standing(&other).await.unwrap();
        let Standing::Other(kept) = standing else {
            panic!("{number}: {standing:?}")
        };
        assert_eq!(kept.evaluation, 17);
        assert_eq!(submit(&place, &[&other]).await, 1);
        let standing = place.dcap.standing(&other).await.unwrap();
        let Standing::Same(kept) = standing else {
            panic!("{number}: {standing:?}")
        };
        assert_eq!(kept.evaluation, number);
    }
    // Of one date, the first is the latest.
    let latest = place.dcap.kept(tcb_info.latest).await.unwrap().unwrap();
    assert_eq!(latest.evaluation, 17);

    let of_date = async |issued: u64| {
        let list = CollateralDocument {
            issued,
            ..root_crl.clone()
        };
        place.dcap.standing(&list).await.unwrap()
    };
    assert!(matches!(of_date(root_crl.issued).await, Standing::Same(_)));
    assert!(matches!(
        of_date(root_crl.issued - 1).await,
        Standing::Older(_)
    ));
    assert!(matches!(
        of_date(root_crl.issued + 1).await,
        Standing::Other(_)
    ));
}

#[tokio::test]
async fn a_refusal_is_named_and_holds_up_no_other_piece() {
    let place = place(DEVELOPMENT_ROOT_ID).await;
    let refusals = async |fault: Fault| {
        let mut names = Vec::new();
        for document in &collateral(&Forge::new().fault(fault)).documents {
            let refusal = place.dcap.refusal(document).await.unwrap();
            names.push(refusal.map(|refusal| refusal.name).unwrap_or_default());
        }
        names
    };
    assert_eq!(refusals(Fault::ForeignRoot).await, ["RootUnknown"; 4]);
    assert_eq!(
        refusals(Fault::TamperedTcbInfo).await,
        ["", "", "SignatureInvalid", ""]
    );
    assert_eq!(
        refusals(Fault::ExpiredQeIdentity).await,
        ["", "", "", "NotValidNow"]
    );
    assert_eq!(
        refusals(Fault::ExpiredRevocationLists).await,
        ["NotValidNow", "NotValidNow", "", ""]
    );
    assert_eq!(
        refusals(Fault::ExpiredCertificates).await,
        ["NotValidNow"; 4]
    );

    let [.., tcb_info, _] = collateral(&Forge::new().fault(Fault::TamperedTcbInfo)).documents;
    let refusal = place.dcap.refusal(&tcb_info).await.unwrap().unwrap();
    assert!(refusal.reason.starts_with("SignatureInvalid"), "{refusal}");
    // Sent all the same, it is refused before it costs anything, by the same name.
    let [submission] = place.dcap.submissions(&[&tcb_info]).try_into().unwrap();
    let error = place
        .sender
        .send(submission.call, unrecorded())
        .await
        .unwrap_err();
    assert!(error.to_string().contains("SignatureInvalid"), "{error}");
}

#[tokio::test]
async fn documents_of_different_signers_go_in_transactions_of_their_own() {
    let place = place(DEVELOPMENT_ROOT_ID).await;
    let own = collateral(&Forge::new()).documents;
    let foreign = collateral(&Forge::new().fault(Fault::ForeignRoot)).documents;
    let [root_crl, authority, tcb_info, qe_identity] = &own;
    let [_, _, _, other] = &foreign;
    let submissions = place
        .dcap
        .submissions(&[root_crl, authority, tcb_info, other]);
    let of: Vec<&[usize]> = submissions
        .iter()
        .map(|one| one.documents.as_slice())
        .collect();
    assert_eq!(of, [&[0, 1, 2][..], &[3]]);
    // Two editions of one document never share one either.
    let submissions =
        place
            .dcap
            .submissions(&[tcb_info, qe_identity, &foreign[2].clone(), tcb_info]);
    assert_eq!(submissions.len(), 2);
}

#[tokio::test]
async fn a_configuration_register_is_stored_once() {
    let place = place(DEVELOPMENT_ROOT_ID).await;
    let config_hash = keccak256("a configuration");
    let before = place
        .contract
        .configRegisterHash(config_hash)
        .call()
        .await
        .unwrap();
    let call = place
        .dcap
        .config_register(config_hash)
        .await
        .unwrap()
        .unwrap();
    let mut pending = place.sender.send(call, unrecorded()).await.unwrap();
    assert!(pending.receipt(scene::SOON).await.unwrap().status());
    assert_eq!(place.dcap.config_register(config_hash).await.unwrap(), None);
    assert!(
        place
            .dcap
            .config_register(B256::ZERO)
            .await
            .unwrap()
            .is_some()
    );
    let after = place
        .contract
        .configRegisterHash(config_hash)
        .call()
        .await
        .unwrap();
    assert_eq!(before, after);
}

#[tokio::test]
async fn what_is_kept_runs_out() {
    let place = place(DEVELOPMENT_ROOT_ID).await;
    let collateral = collateral(&Forge::new());
    submit(&place, &collateral.documents.iter().collect::<Vec<_>>()).await;
    let quoted = Quoted::read(bundle(&Forge::new()).quote()).unwrap();
    let verify = || {
        place.contract.verifyQuote(
            quoted.short.clone(),
            quoted.pck_certificate.clone(),
            quoted.root_id,
            quoted.pck_authority,
            collateral.documents[2].edition,
            collateral.documents[3].edition,
        )
    };
    assert_eq!(verify().call().await.unwrap().tcbStatus, 1);
    let provider = place.contract.provider();
    provider
        .anvil_set_next_block_timestamp(2_713_910_401)
        .await
        .unwrap();
    provider.anvil_mine(Some(1), None).await.unwrap();
    let error = verify().call().await.unwrap_err();
    assert!(
        error
            .as_revert_data()
            .unwrap()
            .starts_with(&SubrosaDcap::CollateralExpired::SELECTOR)
    );
}

#[tokio::test]
async fn an_address_without_the_contract_is_said_to_have_none() {
    let place = place(INTEL_SGX_ROOT_ID).await;
    let nobody = Dcap::new(
        B256::repeat_byte(7).0[..20].try_into().unwrap(),
        place.contract.provider().clone(),
    );
    let error = nobody.kept(B256::ZERO).await.unwrap_err();
    assert!(matches!(error, ChainError::NoContract(_)), "{error}");
}

#[test]
fn quote_and_collateral_are_found_in_bundles_of_intel_alone() {
    let bundle = bundle(&Forge::new());
    let encoded = bundle.encode();
    assert_eq!(
        evidence_parts(&encoded).unwrap(),
        (bundle.quote(), bundle.collateral())
    );
    let with = |kind, part| {
        let parts = [(part, vec![7; 40])];
        EvidenceBundle::from_parts(kind, parts).unwrap().encode()
    };
    let alone = with(TeeKind::Sgx, EvidencePart::Quote);
    assert_eq!(evidence_parts(&alone).unwrap(), (&[7; 40][..], &[][..]));
    let longer = [&encoded[..], &[0]].concat();
    assert!(evidence_parts(&longer).is_err());
    assert!(evidence_parts(&encoded[..encoded.len() - 1]).is_err());
    assert!(evidence_parts(&with(TeeKind::Tdx, EvidencePart::Collateral)).is_err());
    let error = evidence_parts(&with(TeeKind::Nitro, EvidencePart::Quote)).unwrap_err();
    assert!(error.to_string().contains("TDX or SGX"), "{error}");
}

#[test]
fn what_is_no_collateral_or_quote_is_refused_by_field() {
    let sound = bundle(&Forge::new());
    let spoil = |field: &str, value: serde_json::Value| {
        let mut json: serde_json::Value = serde_json::from_slice(sound.collateral()).unwrap();
        json[field] = value;
        Collateral::from_json(json.to_string().as_bytes())
            .unwrap_err()
            .to_string()
    };
    for field in [
        "pck_crl_issuer_chain",
        "tcb_info_issuer_chain",
        "qe_identity_issuer_chain",
        "root_ca_crl",
        "pck_crl",
        "tcb_info",
        "tcb_info_signature",
        "qe_identity",
        "qe_identity_signature",
    ] {
        let error = spoil(field, "zz".into());
        assert!(error.starts_with(field), "{field}: {error}");
    }
    assert!(matches!(
        Collateral::from_json(b"[]").unwrap_err(),
        DcapError::Json(_)
    ));
    let large = vec![b' '; MAX_COLLATERAL_BYTES + 1];
    assert!(matches!(
        Collateral::from_json(&large).unwrap_err(),
        DcapError::TooLarge { .. }
    ));
    let large = vec![0; MAX_QUOTE_BYTES + 1];
    assert!(matches!(
        Quoted::read(&large).unwrap_err(),
        DcapError::TooLarge { .. }
    ));
    for length in [0, 7, 48, 631, 1200, 2000] {
        assert!(Quoted::read(&sound.quote()[..length]).is_err(), "{length}");
    }
}
