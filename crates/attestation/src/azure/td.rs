// SPDX-License-Identifier: Apache-2.0
//! A TDREPORT and a TD quote: are they about the same TD, and bind the same?
//!
//! A TDREPORT carries a MAC that only its own machine can check. What makes it trustworthy is the
//! quote that Intel's quoting enclave made of it, and that quote is verified on its own.
//!
//! Source: Intel TDX Module ABI, TDREPORT_STRUCT: REPORTMACSTRUCT (REPORTDATA at 128), TDINFO at 512.

use alloc::format;
use alloc::vec;

use dcap_qvl::quote::{Quote, Report, TDReport10};
use subrosa_evidence::CheckId;

use super::hcl::TD_REPORT_BYTES;
use crate::failure::Failure;

/// Holds `quote` to `report`.
///
/// # Errors
///
/// `evidence.format` if the quote is none of a TD, `azure.report` if it is of another, or binds
/// something else.
pub(super) fn same(report: &[u8; TD_REPORT_BYTES], quote: &[u8]) -> Result<(), Failure> {
    const EXPECTED: &str = "a TD quote in part TdQuote";
    let quote =
        Quote::parse(quote).map_err(|error| Failure::format(EXPECTED, format!("{error:#}")))?;
    let quoted = match &quote.report {
        Report::TD10(report) => report,
        Report::TD15(report) => &report.base,
        Report::TD15Ex(report) => &report.base.base,
        Report::SgxEnclave(_) => return Err(Failure::format(EXPECTED, "an SGX quote")),
    };
    let (reported, _) = report.get(REPORT_DATA..).unwrap_or_default().split_at(64);
    let mut fields = vec![("REPORTDATA", reported, &quoted.report_data[..])];
    let mut rest = report.get(TD_INFO..).unwrap_or_default();
    for (name, quoted) in td_info(quoted) {
        let (field, after) = rest.split_at_checked(quoted.len()).unwrap_or_default();
        fields.push((name, field, quoted));
        rest = after;
    }
    for (name, reported, quoted) in fields {
        if reported != quoted {
            return Err(Failure::rejected(
                CheckId::AzureReport,
                format_args!(
                    "{name} {} in the TD quote, as in the HCL report",
                    hex::encode(reported)
                ),
                hex::encode(quoted),
            ));
        }
    }
    Ok(())
}

/// TDINFO_BASE, field by field, as the quote repeats it.
fn td_info(quoted: &TDReport10) -> [(&'static str, &[u8]); 10] {
    [
        ("ATTRIBUTES", &quoted.td_attributes),
        ("XFAM", &quoted.xfam),
        ("MRTD", &quoted.mr_td),
        ("MRCONFIGID", &quoted.mr_config_id),
        ("MROWNER", &quoted.mr_owner),
        ("MROWNERCONFIG", &quoted.mr_owner_config),
        ("RTMR0", &quoted.rt_mr0),
        ("RTMR1", &quoted.rt_mr1),
        ("RTMR2", &quoted.rt_mr2),
        ("RTMR3", &quoted.rt_mr3),
    ]
}

const REPORT_DATA: usize = 128;
const TD_INFO: usize = 512;
