// SPDX-License-Identifier: Apache-2.0
//! TCB info (version 3, TDX), QE identity (version 2, TD_QE) and the JSON that carries collateral.
//!
//! Field names and order are those of Intel's Provisioning Certification Service, version 4. The
//! types serialize in declaration order, so that the bytes, and with them every signature, are the
//! same in every build.

use serde::Serialize;

use super::blueprint::Blueprint;
use super::pki::pem_chain;

/// Everything a verifier needs beside the quote, as the widely used JSON object
/// (`pck_crl_issuer_chain`, `root_ca_crl`, …; binary fields in hexadecimal).
pub(crate) fn collateral(blueprint: &Blueprint) -> Vec<u8> {
    let authority = &blueprint.authority;
    let signer = authority.tcb_signer_key();
    let tcb_info = json(&tcb_info(blueprint));
    let qe_identity = json(&qe_identity(blueprint));
    let tcb_info_signature = hex::encode(signer.sign(tcb_info.as_bytes()));
    let qe_identity_signature = hex::encode(signer.sign(qe_identity.as_bytes()));
    let root = authority.root();
    let signing_chain = pem_chain(&[authority.tcb_signer(), root.clone()]);
    json(&Collateral {
        pck_crl_issuer_chain: pem_chain(&[authority.pck_ca(), root]),
        root_ca_crl: hex::encode(authority.root_crl()),
        pck_crl: hex::encode(authority.pck_crl(&blueprint.machine)),
        tcb_info_issuer_chain: signing_chain.clone(),
        tcb_info: if blueprint.tamper_tcb_info {
            tcb_info.replacen("OutOfDate", "UpToDate", 1)
        } else {
            tcb_info
        },
        tcb_info_signature,
        qe_identity_issuer_chain: signing_chain,
        qe_identity: if blueprint.tamper_qe_identity {
            qe_identity.replacen("\"isvprodid\":2", "\"isvprodid\":3", 1)
        } else {
            qe_identity
        },
        qe_identity_signature,
    })
    .into_bytes()
}

fn tcb_info(blueprint: &Blueprint) -> TcbInfo {
    let level = |cpu_svn: [u8; 16], tdx_svn: [u8; 16], status| TcbLevel {
        tcb: Tcb {
            sgxtcbcomponents: cpu_svn.map(|svn| Component { svn }),
            pcesvn: blueprint.machine.pce_svn,
            tdxtcbcomponents: tdx_svn.map(|svn| Component { svn }),
        },
        tcb_date: "2025-12-01T00:00:00Z",
        tcb_status: status,
    };
    TcbInfo {
        id: "TDX",
        version: 3,
        issue_date: blueprint.tcb_info_issued,
        next_update: blueprint.tcb_info_next_update,
        fmspc: hex::encode_upper(blueprint.tcb_info_fmspc),
        pce_id: hex::encode_upper(blueprint.machine.pce_id),
        tcb_type: 0,
        tcb_evaluation_data_number: blueprint.tcb_evaluation,
        tdx_module: Module {
            mrsigner: ZEROS_48,
            attributes: "0000000000000000",
            attributes_mask: "FFFFFFFFFFFFFFFF",
        },
        tdx_module_identities: vec![ModuleIdentity {
            id: "TDX_01",
            mrsigner: ZEROS_48,
            attributes: "0000000000000000",
            attributes_mask: "FFFFFFFFFFFFFFFF",
            tcb_levels: vec![SvnLevel {
                tcb: Svn {
                    isvsvn: u16::from(blueprint.tee_tcb_svn[0]),
                },
                tcb_date: "2025-12-01T00:00:00Z",
                tcb_status: "UpToDate",
            }],
        }],
        tcb_levels: vec![
            level(
                blueprint.machine.cpu_svn,
                blueprint.tee_tcb_svn,
                blueprint.tcb_status,
            ),
            level([0; 16], [0; 16], "OutOfDate"),
        ],
    }
}

fn qe_identity(blueprint: &Blueprint) -> QeIdentity {
    QeIdentity {
        id: "TD_QE",
        version: 2,
        issue_date: blueprint.authority.not_before,
        next_update: blueprint.qe_identity_next_update,
        tcb_evaluation_data_number: blueprint.tcb_evaluation,
        miscselect: "00000000",
        miscselect_mask: "FFFFFFFF",
        attributes: "11000000000000000000000000000000",
        attributes_mask: "FBFFFFFFFFFFFFFF0000000000000000",
        mrsigner: hex::encode_upper(super::blueprint::qe_mrsigner()),
        isvprodid: super::blueprint::QE_PRODUCT,
        tcb_levels: vec![SvnLevel {
            tcb: Svn {
                isvsvn: super::blueprint::QE_SVN,
            },
            tcb_date: "2025-12-01T00:00:00Z",
            tcb_status: blueprint.qe_status,
        }],
    }
}

#[expect(
    clippy::expect_used,
    reason = "plain structs of strings and integers always serialize"
)]
fn json<T: Serialize>(value: &T) -> String {
    serde_json::to_string(value).expect("serializable by construction")
}

const ZEROS_48: &str = "000000000000000000000000000000000000000000000000\
                        000000000000000000000000000000000000000000000000";

#[derive(Serialize)]
struct Collateral {
    pck_crl_issuer_chain: String,
    root_ca_crl: String,
    pck_crl: String,
    tcb_info_issuer_chain: String,
    tcb_info: String,
    tcb_info_signature: String,
    qe_identity_issuer_chain: String,
    qe_identity: String,
    qe_identity_signature: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct TcbInfo {
    id: &'static str,
    version: u8,
    issue_date: &'static str,
    next_update: &'static str,
    fmspc: String,
    pce_id: String,
    tcb_type: u8,
    tcb_evaluation_data_number: u32,
    tdx_module: Module,
    tdx_module_identities: Vec<ModuleIdentity>,
    tcb_levels: Vec<TcbLevel>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Module {
    mrsigner: &'static str,
    attributes: &'static str,
    attributes_mask: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ModuleIdentity {
    id: &'static str,
    mrsigner: &'static str,
    attributes: &'static str,
    attributes_mask: &'static str,
    tcb_levels: Vec<SvnLevel>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct TcbLevel {
    tcb: Tcb,
    tcb_date: &'static str,
    tcb_status: &'static str,
}

#[derive(Serialize)]
struct Tcb {
    sgxtcbcomponents: [Component; 16],
    pcesvn: u8,
    tdxtcbcomponents: [Component; 16],
}

#[derive(Serialize)]
struct Component {
    svn: u8,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct QeIdentity {
    id: &'static str,
    version: u8,
    issue_date: &'static str,
    next_update: &'static str,
    tcb_evaluation_data_number: u32,
    miscselect: &'static str,
    miscselect_mask: &'static str,
    attributes: &'static str,
    attributes_mask: &'static str,
    mrsigner: String,
    isvprodid: u16,
    tcb_levels: Vec<SvnLevel>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SvnLevel {
    tcb: Svn,
    tcb_date: &'static str,
    tcb_status: &'static str,
}

#[derive(Serialize)]
struct Svn {
    isvsvn: u16,
}
