// SPDX-License-Identifier: Apache-2.0
// Writes ../fixtures/dcap.json and dcap-cases.jsonl: evidence and collateral by the stand-in for Intel, one deviation a case, and what is
// expected of each. Signatures are random, so every run writes other bytes with the same meaning.

import { writeFileSync } from 'node:fs';
import { bytesToHex, hexToBytes, keccak256, toFunctionSelector, toHex } from 'viem';
import { pckAuthorityId, rootId } from '../../script/dcap/evidence.mjs';
import { binding, configRegister, measurement, registrationChallenge, sha256, startHash } from '../../script/gas/dcap.mjs';
import { bits, boolean, explicit, octets, oid, sequence, small, time } from './der.mjs';
import { certificate, hierarchy, key, moduleIdentity, name, qeIdentity, revocationList, tcbInfo } from './intel.mjs';
import { enclaveReport, quote, tdReport } from './quotes.mjs';

const now = 1_800_000_000;
const day = 86_400;
const intel = hierarchy(now);
const root = rootId(intel.rootCertificate);
const registration = {
  challengeBlock: 999,
  challengeBlockHash: keccak256(toHex('block 999')),
  registrant: '0x00000000000000000000000000000000000a11ce',
  signer: '0x000000000000000000000000000000000051ea7e',
  transferKeyHash: keccak256(toHex('transfer key')),
  configHash: keccak256(toHex('config')),
  startHash,
};
const reportData = Buffer.concat([
  sha256(hexToBytes(binding(registration.signer, registration.transferKeyHash, registration.configHash, startHash))),
  registrationChallenge(registration.challengeBlockHash, registration.registrant),
]);

const cpuSvn = Buffer.from('0403020100ff05000000000000000000', 'hex');
const fmspc = Buffer.from('00a06f4c0000', 'hex');
const platform = { cpuSvn, pceSvn: 13, fmspc };
const dates = { issued: now - day, until: now + 29 * day };
const lists = { from: now - day, until: now + 29 * day };
const bytes = (hex) => Buffer.from(hex, 'hex');
const lower = bytes('0303020100ff05000000000000000000');
const svn = (start) => bytes(start.padEnd(32, '0'));

const machine = intel.machine('m', platform);
const modules = [
  moduleIdentity({ id: 'TDX_03', levels: [[5, 'UpToDate'], [3, 'OutOfDate']] }),
  moduleIdentity({ id: 'TDX_01', levels: [[6, 'UpToDate'], [4, 'OutOfDate'], [2, 'Revoked'], [1, 'SWHardeningNeeded']] }),
];
const level = (status, more) => ({ sgx: cpuSvn, pcesvn: 13, tdx: svn('050002'), status, ...more });
const levels = [level('UpToDate'), level('OutOfDate', { sgx: lower, pcesvn: 5, tdx: svn('050001') })];

const tdInfo = (change = {}) => tcbInfo({ tdx: true, ...dates, fmspc, evaluation: 20, levels, modules, ...change });
const sgxInfo = (change = {}) => tcbInfo({ tdx: false, ...dates, fmspc, evaluation: 20, levels, ...change });
const tdQe = (change = {}) => qeIdentity({ tdx: true, ...dates, evaluation: 19, ...change });
const sgxQe = (change = {}) => qeIdentity({ tdx: false, ...dates, evaluation: 19, ...change });
const signedInfo = (text, by = intel.signer.key) => ({ tcbInfo: Buffer.from(text), tcbInfoSignature: by.sign(Buffer.from(text)) });
const signedQe = (text, by = intel.signer.key) => ({ qeIdentity: Buffer.from(text), qeIdentitySignature: by.sign(Buffer.from(text)) });

const shared = {
  rootCertificate: intel.rootCertificate,
  rootCrl: revocationList(intel.root, { ...lists, serials: [] }),
  pckAuthority: intel.authorityCertificate,
  pckCrl: revocationList(intel.authority, { ...lists, serials: [intel.serial('another')] }),
  tcbSigner: intel.signerCertificate,
};
const td = (fields) => tdReport({ teeTcbSvn: svn('060103'), rtmr3: configRegister(registration.configHash), reportData, ...fields });
const td15 = (fields = {}) => td({ svn2: svn('060103'), mrServiceTd: Buffer.alloc(48), ...fields });
const enclave = (change) => enclaveReport({ reportData, ...change });
const tdQuote = (fields, more) => quote({ version: 4, body: td(fields), machine, ...more });
const td15Quote = (fields, more) => quote({ version: 5, bodyType: 3, body: td15(fields), machine, ...more });
const sgxQuote = (change, more) => quote({ version: 3, body: enclave(change), machine, ...more });

const bases = {
  tdx: { collateral: { ...shared, ...signedInfo(tdInfo()), ...signedQe(tdQe()) }, quote: tdQuote(), pck: machine.certificate },
  sgx: { collateral: { ...shared, ...signedInfo(sgxInfo()), ...signedQe(sgxQe()) }, quote: sgxQuote(), pck: machine.certificate },
};

const cases = [];
const accepted = (name, base, status, { collateral = {}, ...more } = {}) => cases.push({ name, base, status, collateral, ...more });
const refused = (name, base, error, { collateral = {}, ...more } = {}) => cases.push({ name, base, error, collateral, ...more });

/** One byte changed. */
const flip = (buffer, index) => {
  const copy = Buffer.from(buffer);
  copy[index < 0 ? copy.length + index : index] ^= 1;
  return copy;
};
/** `text` once replaced. */
const swap = (text, from, to) => {
  if (!text.includes(from)) throw new Error(`no ${from} in the text`);
  return text.replace(from, to);
};

// Quotes.
accepted('a TDX quote of version 4', 'tdx', 1);
accepted('an SGX quote of version 3', 'sgx', 1);
accepted('a version 5 quote with a TDX 1.0 body', 'tdx', 1, { quote: quote({ version: 5, bodyType: 2, body: td(), machine }) });
accepted('a version 5 quote with a TDX 1.5 body', 'tdx', 1, { quote: td15Quote() });
accepted('a version 5 quote with an extended body', 'tdx', 1, { quote: quote({ version: 5, bodyType: 4, body: Buffer.concat([td15(), Buffer.alloc(237)]), machine }) });
accepted('bytes after the quote', 'tdx', 1, { quote: Buffer.concat([tdQuote(), Buffer.alloc(70)]) });
accepted('certification data of any content', 'tdx', 1, { quote: tdQuote({}, { chain: Buffer.alloc(333, 0x41) }) });
const header = (index, value) => Buffer.concat([tdQuote().subarray(0, index), Buffer.from([value]), tdQuote().subarray(index + 1)]);
refused('no quote', 'tdx', 'QuoteMalformed()', { quote: Buffer.alloc(0) });
refused('version 2', 'tdx', 'QuoteUnsupported()', { quote: header(0, 2) });
refused('an SGX quote of version 4', 'tdx', 'QuoteUnsupported()', { quote: header(4, 0) });
refused('an SGX quote of version 5', 'tdx', 'QuoteUnsupported()', { quote: Buffer.concat([Buffer.from([5]), tdQuote().subarray(1, 4), Buffer.from([0]), tdQuote().subarray(5)]) });
refused('a TDX quote of version 3', 'tdx', 'QuoteUnsupported()', { quote: header(0, 3) });
refused('an attestation key on P-384', 'tdx', 'QuoteUnsupported()', { quote: header(2, 3) });
refused('another vendor', 'tdx', 'QuoteUnsupported()', { quote: header(12, 0) });
refused('an unknown body', 'tdx', 'QuoteUnsupported()', { quote: quote({ version: 5, bodyType: 5, body: td15(), machine }) });
refused('an SGX body in version 5', 'tdx', 'QuoteUnsupported()', { quote: quote({ version: 5, bodyType: 1, body: enclave(), machine }) });
refused('a body of another size', 'tdx', 'QuoteMalformed()', { quote: quote({ version: 5, bodyType: 3, body: td(), machine }) });
refused('a body that states another size', 'tdx', 'QuoteMalformed()', { quote: quote({ version: 5, bodyType: 2, body: td(), bodySize: 585, machine }) });
refused('a quote cut after its body', 'tdx', 'QuoteMalformed()', { quote: tdQuote().subarray(0, 632) });
refused('a quote one byte short', 'tdx', 'QuoteMalformed()', { quote: tdQuote().subarray(0, -1) });
const length = (offset, value) => {
  const copy = Buffer.from(tdQuote());
  copy.writeUInt32LE(value, offset);
  return copy;
};
refused('a signature length beyond the quote', 'tdx', 'QuoteMalformed()', { quote: length(632, 0xffffffff) });
refused('a signature length below what it holds', 'tdx', 'QuoteMalformed()', { quote: length(632, 127) });
refused('a certification length beyond what holds it', 'tdx', 'QuoteMalformed()', { quote: length(632 + 4 + 130, 0xffffffff) });
refused('a certification length below what it holds', 'tdx', 'QuoteMalformed()', { quote: length(632 + 4 + 130, 481) });
refused('an inner certification length beyond what holds it', 'tdx', 'QuoteMalformed()', { quote: length(tdQuote().length - 4, 1) });
refused('other authentication data than 32 bytes', 'tdx', 'QuoteMalformed()', { quote: flip(tdQuote(), 632 + 4 + 134 + 448) });
refused('a changed body', 'tdx', 'SignatureInvalid()', { quote: flip(tdQuote(), 48 + 200) });
refused('a changed quoting enclave', 'tdx', 'SignatureInvalid()', { quote: flip(tdQuote(), 632 + 4 + 134 + 70) });
refused('another attestation key', 'tdx', 'AttestationKeyUnvouched()', { quote: flip(tdQuote(), 632 + 4 + 70) });
refused('other authentication data', 'tdx', 'AttestationKeyUnvouched()', { quote: flip(tdQuote(), 632 + 4 + 134 + 452) });
refused('a quote certified by another machine', 'tdx', 'SignatureInvalid()', { quote: tdQuote({}, { machine: intel.machine('n', platform) }) });

// What a TD may be.
const attributes = (hex) => ({ tdAttributes: bytes(hex) });
for (const [what, hex] of [
  ['in debug mode', '0100001000000000'],
  ['profiled', '1000001000000000'],
  ['with a reserved low attribute', '0001001000000000'],
  ['with SERVTD_EXT', '0000021000000000'],
  ['with reserved attribute 23', '0000801000000000'],
  ['that may be migrated', '0000003000000000'],
  ['with reserved attribute 32', '0000001001000000'],
  ['with reserved attribute 61', '0000001000000020'],
  ['that takes virtualization exceptions', '0000000000000000'],
]) {
  refused(`a TD ${what}`, 'tdx', 'TdAttributesRefused(bytes8)', { quote: tdQuote(attributes(hex)) });
}
accepted('a TD with PERFMON, key locker and single-step defence', 'tdx', 1, { quote: tdQuote(attributes('0000019800000080')) });
refused('a TD with a service TD', 'tdx', 'ServiceTdRefused()', { quote: td15Quote({ mrServiceTd: flip(Buffer.alloc(48), 0) }) });
refused('a TD with a service TD, last byte', 'tdx', 'ServiceTdRefused()', { quote: td15Quote({ mrServiceTd: flip(Buffer.alloc(48), 47) }) });
refused('a debug enclave', 'sgx', 'DebugMode()', { quote: sgxQuote({ attributes: bytes('0700000000000000e700000000000000') }) });

// TDX modules.
accepted('a module one level down', 'tdx', 5, { quote: tdQuote({ teeTcbSvn: svn('040103') }) });
refused('a revoked module', 'tdx', 'TcbRevoked()', { quote: tdQuote({ teeTcbSvn: svn('020103') }) });
refused('a module with a status that modules do not have', 'tdx', 'TcbLevelNotFound()', { quote: tdQuote({ teeTcbSvn: svn('010103') }) });
refused('a module below every level', 'tdx', 'TcbLevelNotFound()', { quote: tdQuote({ teeTcbSvn: svn('000103') }) });
refused('a module of an unknown version', 'tdx', 'TdxModuleUnknown(uint256)', { quote: tdQuote({ teeTcbSvn: svn('060203') }) });
accepted('a module of another version', 'tdx', 5, { quote: tdQuote({ teeTcbSvn: svn('030303') }) });
accepted('a module without version', 'tdx', 1, { quote: tdQuote({ teeTcbSvn: svn('050003') }) });
refused('a module without version below every level', 'tdx', 'TcbLevelNotFound()', { quote: tdQuote({ teeTcbSvn: svn('040003') }) });
accepted('no module identities, and none needed', 'tdx', 1, { quote: tdQuote({ teeTcbSvn: svn('050003') }), collateral: signedInfo(swap(tdInfo(), /"tdxModuleIdentities":\[.*\}\],"tcbLevels":\[\{"tcb":\{"sgx/.exec(tdInfo())[0], '"tcbLevels":[{"tcb":{"sgx')) });
refused('a module by another signer', 'tdx', 'TdxModuleMismatch()', { quote: tdQuote({ mrSignerSeam: flip(Buffer.alloc(48), 47) }) });
refused('a module with attributes', 'tdx', 'TdxModuleMismatch()', { quote: tdQuote({ seamAttributes: flip(Buffer.alloc(8), 0) }) });
refused('a module with attributes outside the mask', 'tdx', 'TdxModuleMismatch()', {
  quote: tdQuote({ teeTcbSvn: svn('050003'), seamAttributes: flip(Buffer.alloc(8), 0) }),
  collateral: signedInfo(tdInfo({ module: { ...moduleIdentity(), attributes: '0100000000000000', attributesMask: '0000000000000000' } })),
});

// TDs that outlived their module.
const outdated = { teeTcbSvn: svn('040103') };
accepted('a TD launched on a module since updated', 'tdx', 7, { quote: td15Quote(outdated) });
accepted('a TD launched on a module not updated', 'tdx', 5, { quote: td15Quote({ ...outdated, svn2: svn('040103') }) });
accepted('the same on a platform to be configured', 'tdx', 8, { quote: td15Quote(outdated), collateral: signedInfo(tdInfo({ levels: [level('ConfigurationNeeded')] })) });
accepted('the same with software to be hardened too', 'tdx', 8, { quote: td15Quote(outdated), collateral: signedInfo(tdInfo({ levels: [level('ConfigurationAndSWHardeningNeeded')] })) });
accepted('a TD on a platform that was configured since', 'tdx', 8, {
  quote: td15Quote({ teeTcbSvn: svn('060101') }),
  collateral: signedInfo(tdInfo({ levels: [level('UpToDate', { tdx: svn('050003') }), level('OutOfDateConfigurationNeeded', { tdx: svn('050001') })] })),
});
refused('a TD whose current module is revoked', 'tdx', 'TcbRevoked()', { quote: td15Quote({ svn2: svn('020103') }) });
refused('a TD launched on a revoked module', 'tdx', 'TcbRevoked()', { quote: td15Quote({ teeTcbSvn: svn('020103') }) });
refused('a TD whose current module is unknown', 'tdx', 'TdxModuleUnknown(uint256)', { quote: td15Quote({ svn2: svn('060203') }) });

// Platforms.
const statuses = ['UpToDate', 'SWHardeningNeeded', 'ConfigurationNeeded', 'ConfigurationAndSWHardeningNeeded', 'OutOfDate', 'OutOfDateConfigurationNeeded'];
const oldQe = signedQe(sgxQe({ levels: [[5, 'UpToDate'], [4, 'OutOfDate']] }));
statuses.forEach((status, index) => {
  const info = signedInfo(sgxInfo({ levels: [level(status)] }));
  accepted(`a platform that is ${status}`, 'sgx', index + 1, { collateral: info });
  accepted(`the same with an outdated quoting enclave: ${status}`, 'sgx', [5, 5, 6, 6, 5, 6][index], { collateral: { ...info, ...oldQe } });
});
refused('a revoked platform', 'sgx', 'TcbRevoked()', { collateral: signedInfo(sgxInfo({ levels: [level('Revoked')] })) });
refused('a revoked TDX platform', 'tdx', 'TcbRevoked()', { collateral: signedInfo(tdInfo({ levels: [level('Revoked')] })) });
refused('a platform below every level', 'sgx', 'TcbLevelNotFound()', { collateral: signedInfo(sgxInfo({ levels: [level('UpToDate', { sgx: flip(cpuSvn, 8) })] })) });
refused('a platform whose PCESVN is below every level', 'sgx', 'TcbLevelNotFound()', { collateral: signedInfo(sgxInfo({ levels: [level('UpToDate', { pcesvn: 14 })] })) });
accepted('a platform at the second level', 'sgx', 5, { collateral: signedInfo(sgxInfo({ levels: [level('UpToDate', { pcesvn: 14 }), level('OutOfDate')] })) });
refused('a TDX platform whose last component is below every level', 'tdx', 'TcbLevelNotFound()', { collateral: signedInfo(tdInfo({ levels: [level('UpToDate', { tdx: flip(svn('050002'), 15) })] })) });
accepted('levels in any order', 'sgx', 1, { collateral: signedInfo(sgxInfo({ levels: [level('OutOfDate', { sgx: lower }), level('SWHardeningNeeded', { pcesvn: 12 }), level('UpToDate'), level('ConfigurationNeeded', { pcesvn: 11 })] })) });
accepted('TDX levels in any order', 'tdx', 2, { collateral: signedInfo(tdInfo({ levels: [level('OutOfDate', { pcesvn: 4 }), level('OutOfDate', { pcesvn: 12 }), level('SWHardeningNeeded', { tdx: svn('050003') }), level('UpToDate')] })) });
refused('TCB info of another platform', 'tdx', 'CollateralMissing(bytes32)', { collateral: signedInfo(tdInfo({ fmspc: bytes('00a06f4c0001') })) });
accepted('TCB info with an FMSPC in lower case', 'sgx', 1, { collateral: signedInfo(swap(sgxInfo(), '00A06F4C0000', '00a06f4c0000')) });
refused('SGX TCB info for a TD', 'tdx', 'CollateralMissing(bytes32)', { collateral: signedInfo(sgxInfo()) });
refused('the identity of the SGX quoting enclave for a TD', 'tdx', 'CollateralMissing(bytes32)', { collateral: signedQe(sgxQe()) });

// TCB info.
const info = (from, to) => ({ collateral: signedInfo(swap(tdInfo(), from, to)) });
const json = 'JsonUnexpected(uint256)';
refused('TCB info of version 2', 'tdx', json, info('"version":3', '"version":2'));
refused('TCB info with white space', 'tdx', json, info(',"fmspc"', ', "fmspc"'));
refused('TCB info with a digit that is none', 'tdx', json, info('00A06F4C0000', '00G06F4C0000'));
refused('TCB info with a letter before A', 'tdx', json, info('00A06F4C0000', '00@06F4C0000'));
refused('TCB info with a character above the digits', 'tdx', json, info('00A06F4C0000', '00:06F4C0000'));
refused('TCB info with a character below the digits', 'tdx', json, info('00A06F4C0000', '00/06F4C0000'));
refused('TCB info with a component above 255', 'tdx', json, info('"svn":255', '"svn":256'));
refused('TCB info with a component that is no number', 'tdx', json, info('"svn":255', '"svn":x'));
refused('TCB info with a leading zero', 'tdx', json, info('"svn":255', '"svn":05'));
refused('TCB info with fifteen components', 'tdx', json, info(',{"svn":0}]', ']'));
refused('TCB info with seventeen components', 'tdx', json, info('{"svn":0}]', '{"svn":0},{"svn":0}]'));
refused('TCB info with an unknown status', 'tdx', json, info('"tcbStatus":"UpToDate"', '"tcbStatus":"UpToDatf"'));
refused('TCB info with a status that is only derived', 'sgx', json, { collateral: signedInfo(sgxInfo({ levels: [level('TDRelaunchAdvised')] })) });
refused('TCB info without levels', 'tdx', json, { collateral: signedInfo(tdInfo({ levels: [] })) });
refused('TCB info with more after its end', 'tdx', json, { collateral: signedInfo(`${tdInfo()} `) });
refused('TCB info cut short', 'tdx', json, { collateral: signedInfo(tdInfo().slice(0, -1)) });
refused('TCB info with an impossible month', 'tdx', 'DateMalformed(bytes32)', info('"tcbDate":"2024-03', '"tcbDate":"2024-13'));
refused('TCB info with a date without T', 'tdx', 'DateMalformed(bytes32)', info('"tcbDate":"2024-03-13T', '"tcbDate":"2024-03-13 '));
refused('TCB info with a date that is no number', 'tdx', 'DateMalformed(bytes32)', info('"tcbDate":"2024-03', '"tcbDate":"2024-0x'));
refused('TCB info with a module identity without levels', 'tdx', json, info('"tcbLevels":[{"tcb":{"isvsvn":5}', '"tcbLevels":{'));
refused('TCB info with another id', 'tdx', json, info('"id":"TDX"', '"id":"TDY"'));
refused('TCB info with an unknown member', 'tdx', json, info('{"svn":4,"category"', '{"svn":4,"kategory"'));
refused('TCB info with advisories without end', 'sgx', json, { collateral: signedInfo(swap(sgxInfo({ length: 2600 }), /\],?"?[^\]]*$/.exec(sgxInfo({ length: 2600 }))[0], '')) });
refused('TCB info signed by another key', 'tdx', 'SignatureInvalid()', { collateral: signedInfo(tdInfo(), key('stranger')) });
refused('TCB info with a short signature', 'tdx', 'SignatureInvalid()', { collateral: { tcbInfoSignature: Buffer.alloc(63) } });
refused('TCB info that has run out', 'tdx', 'NotValidNow(uint256,uint256)', { collateral: signedInfo(tdInfo({ issued: now - 31 * day, until: now - 1 })) });
refused('TCB info from the future', 'tdx', 'NotValidNow(uint256,uint256)', { collateral: signedInfo(tdInfo({ issued: now + 1 })) });

// Quoting enclaves.
const qe = (from, to, base = sgxQe()) => ({ collateral: signedQe(swap(base, from, to)) });
refused('a quoting enclave by another signer', 'sgx', 'QuotingEnclaveUnknown()', { collateral: signedQe(sgxQe({ mrSigner: Buffer.alloc(32, 9) })) });
refused('another product of the signer', 'sgx', 'QuotingEnclaveUnknown()', qe('"isvprodid":1', '"isvprodid":2'));
refused('other MISCSELECT', 'sgx', 'QuotingEnclaveUnknown()', qe('"miscselect":"00000000"', '"miscselect":"00000001"'));
accepted('other MISCSELECT outside the mask', 'sgx', 1, { collateral: signedQe(swap(swap(sgxQe(), '"miscselect":"00000000"', '"miscselect":"00000001"'), 'FFFFFFFF', 'FFFFFFFE')) });
refused('other ATTRIBUTES', 'sgx', 'QuotingEnclaveUnknown()', qe('"attributes":"11', '"attributes":"19'));
refused('a quoting enclave in debug mode', 'sgx', 'DebugMode()', { quote: sgxQuote({}, { qe: { attributes: bytes('1300000000000000e700000000000000') } }) });
refused('a quoting enclave below every level', 'sgx', 'TcbLevelNotFound()', { collateral: signedQe(sgxQe({ levels: [[5, 'UpToDate']] })) });
refused('a quoting enclave with a status that they do not have', 'sgx', 'TcbLevelNotFound()', { collateral: signedQe(sgxQe({ levels: [[4, 'SWHardeningNeeded']] })) });
refused('a revoked quoting enclave', 'sgx', 'TcbRevoked()', { collateral: signedQe(sgxQe({ levels: [[4, 'Revoked']] })) });
accepted('a quoting enclave to be configured', 'sgx', 1, { collateral: signedQe(sgxQe({ levels: [[4, 'ConfigurationNeeded']] })) });
accepted('a TD quoting enclave identity of version 3', 'tdx', 1, qe('"version":2', '"version":3', tdQe()));
refused('an SGX quoting enclave identity of version 3', 'sgx', json, qe('"version":2', '"version":3'));
refused('a quoting enclave identity without levels', 'sgx', json, qe(/"tcbLevels":.*$/.exec(sgxQe())[0], '"tcbLevels":{}}'));
refused('a quoting enclave identity with more after its end', 'sgx', json, { collateral: signedQe(`${sgxQe()} `) });
refused('a quoting enclave identity signed by another key', 'sgx', 'SignatureInvalid()', { collateral: signedQe(sgxQe(), key('stranger')) });
refused('a quoting enclave identity that has run out', 'sgx', 'NotValidNow(uint256,uint256)', { collateral: signedQe(sgxQe({ issued: now - 31 * day, until: now - 1 })) });

// Certificates and lists.
const years = intel.years;
const make = (issuer, subject, options) => certificate(issuer, subject, { ...years, serial: intel.serial('x'), ...options });
const stranger = { common: intel.root.common, key: key('stranger') };
const authorityOf = (options, issuer = intel.root) => make(issuer, intel.authority, { authority: { path: 0 }, ...options });
const signerOf = (options, issuer = intel.root) => make(issuer, intel.signer, options);
const ext = (...parts) => ({ extensions: explicit(3, sequence(...parts)) });
const usage = (value, unused) => sequence(oid('2.5.29.15'), boolean(true), octets(bits(Buffer.from([value]), unused)));
const basic = (...parts) => sequence(oid('2.5.29.19'), boolean(true), octets(sequence(...parts)));
const der = 'DerMalformed(uint256)';
refused('a root nobody pinned', 'tdx', 'RootUnknown(bytes32)', { collateral: { rootCertificate: make(stranger, stranger, { authority: { path: 1 } }) } });
refused('a root certificate that the root did not sign', 'tdx', 'SignatureInvalid()', { collateral: { rootCertificate: make(stranger, intel.root, { authority: { path: 1 }, until: now + 9000 * day }) } });
refused('a certificate for the root by another name', 'tdx', 'IssuerMismatch()', { collateral: { rootCertificate: make({ ...stranger, common: 'Other' }, intel.root, { authority: { path: 1 } }) } });
refused('a root that may not certify', 'tdx', 'CertificateRole()', { collateral: { rootCertificate: make(intel.root, intel.root, {}) } });
refused('a root that has run out', 'tdx', 'NotValidNow(uint256,uint256)', { collateral: { rootCertificate: make(intel.root, intel.root, { authority: { path: 1 }, until: now - 1 }) } });
refused('a PCK CA by another root', 'tdx', 'SignatureInvalid()', { collateral: { pckAuthority: authorityOf({}, stranger) } });
refused('a PCK CA of another issuer', 'tdx', 'IssuerMismatch()', { collateral: { pckAuthority: authorityOf({}, { common: 'Other', key: intel.root.key }) } });
refused('a PCK CA that has run out', 'tdx', 'NotValidNow(uint256,uint256)', { collateral: { pckAuthority: authorityOf({ until: now - 1 }) } });
refused('a PCK CA that is not valid yet', 'tdx', 'NotValidNow(uint256,uint256)', { collateral: { pckAuthority: authorityOf({ from: now + 1 }) } });
refused('a PCK CA that may not certify', 'tdx', 'CertificateRole()', { collateral: { pckAuthority: authorityOf({ change: ext(usage(0x06, 1), basic()) }) } });
refused('a PCK CA that may not sign lists', 'tdx', 'CertificateRole()', { collateral: { pckAuthority: authorityOf({ change: ext(usage(0x04, 2), basic(boolean(true))) }) } });
refused('a TCB signer by another root', 'tdx', 'SignatureInvalid()', { collateral: { tcbSigner: signerOf({}, stranger) } });
refused('a TCB signer that is an authority', 'tdx', 'CertificateRole()', { collateral: { tcbSigner: signerOf({ authority: { path: 0 } }) } });
refused('a TCB signer that is an authority and may sign', 'tdx', 'CertificateRole()', { collateral: { tcbSigner: signerOf({ change: ext(usage(0xc0, 6), basic(boolean(true))) }) } });
refused('a TCB signer that may not sign', 'tdx', 'CertificateRole()', { collateral: { tcbSigner: signerOf({ change: ext(usage(0x40, 6), basic()) }) } });
refused('a TCB signer with a critical extension not understood', 'tdx', 'ExtensionUnknown(uint256)', { collateral: { tcbSigner: signerOf({ change: ext(sequence(oid('2.5.29.30'), boolean(true), octets(sequence()))) }) } });
refused('a TCB signer with an empty key usage', 'tdx', der, { collateral: { tcbSigner: signerOf({ change: ext(sequence(oid('2.5.29.15'), boolean(true), octets(bits(Buffer.alloc(0))))) }) } });
refused('a certificate of version 1', 'tdx', der, { collateral: { tcbSigner: signerOf({ change: { version: explicit(0, small(0)) } }) } });
refused('a certificate with another algorithm', 'tdx', der, { collateral: { tcbSigner: signerOf({ change: { algorithm: sequence(oid('1.2.840.10045.4.3.3')) } }) } });
refused('a certificate on another curve', 'tdx', der, { collateral: { tcbSigner: signerOf({ change: { spki: sequence(sequence(oid('1.2.840.10045.2.1'), oid('1.3.132.0.34')), bits(Buffer.alloc(65, 4))) } }) } });
refused('a certificate whose key is cut', 'tdx', der, { collateral: { tcbSigner: signerOf({ change: { extensions: Buffer.alloc(0) } }) } });
refused('a certificate with three dates', 'tdx', der, { collateral: { tcbSigner: signerOf({ change: { validity: sequence(time(now), time(now), time(now)) } }) } });
refused('a certificate with a date of another type', 'tdx', der, { collateral: { tcbSigner: signerOf({ change: { validity: sequence(small(1), time(now)) } }) } });
refused('a certificate with a long serial number', 'tdx', der, { collateral: { tcbSigner: signerOf({ serial: Buffer.alloc(22, 1) }) } });
accepted('a certificate that ends after 2050', 'tdx', 1, { collateral: { tcbSigner: signerOf({ until: 2_600_000_000 }) } });
refused('a certificate with more after its end', 'tdx', der, { collateral: { tcbSigner: Buffer.concat([intel.signerCertificate, Buffer.alloc(1)]) } });
refused('a certificate cut short', 'tdx', der, { collateral: { tcbSigner: intel.signerCertificate.subarray(0, -1) } });
const list = (options, issuer = intel.root) => revocationList(issuer, { ...lists, serials: [], ...options });
refused('a root list by another key', 'tdx', 'SignatureInvalid()', { collateral: { rootCrl: list({}, stranger) } });
refused('a root list of another issuer', 'tdx', 'IssuerMismatch()', { collateral: { rootCrl: list({}, intel.authority) } });
refused('a root list that has run out', 'tdx', 'NotValidNow(uint256,uint256)', { collateral: { rootCrl: list({ until: now }) } });
refused('a root list from the future', 'tdx', 'NotValidNow(uint256,uint256)', { collateral: { rootCrl: list({ from: now + 1 }) } });
refused('a root list for some certificates only', 'tdx', 'ExtensionUnknown(uint256)', { collateral: { rootCrl: list({ more: [sequence(oid('2.5.29.28'), boolean(true), octets(sequence()))] }) } });
refused('a root list without extensions', 'tdx', der, { collateral: { rootCrl: withoutExtensions() } });
refused('no root list', 'tdx', 'CollateralMissing(bytes32)', { collateral: { rootCrl: Buffer.alloc(0) } });
refused('a root that revokes itself', 'tdx', 'CollateralExpired(bytes32,uint256)', { collateral: { rootCrl: list({ serials: [intel.serial('root')] }) } });
refused('a revoked PCK CA', 'tdx', 'CertificateRevoked(uint256)', { collateral: { rootCrl: list({ serials: [intel.serial('pck ca')] }) } });
refused('a revoked TCB signer', 'tdx', 'CertificateRevoked(uint256)', { collateral: { rootCrl: list({ serials: [intel.serial('y'), intel.serial('signer')] }) } });
accepted('a root list of strangers', 'tdx', 1, { collateral: { rootCrl: list({ serials: [Buffer.from([5]), intel.serial('y')] }) } });
refused('a revoked PCK certificate', 'tdx', 'CertificateRevoked(uint256)', { collateral: { pckCrl: list({ serials: [intel.serial('y'), machine.serial] }, intel.authority) } });
refused('a PCK list by the root', 'tdx', 'IssuerMismatch()', { collateral: { pckCrl: list({}) } });
refused('a PCK list by another key', 'tdx', 'SignatureInvalid()', { collateral: { pckCrl: list({}, { common: intel.authority.common, key: key('stranger') }) } });
accepted('a PCK list that revokes nobody', 'tdx', 1, { collateral: { pckCrl: list({}, intel.authority) } });
refused('no PCK CA', 'tdx', 'CollateralMissing(bytes32)', { collateral: { pckAuthority: Buffer.alloc(0) } });
refused('no TCB signer', 'tdx', 'CollateralMissing(bytes32)', { collateral: { tcbSigner: Buffer.alloc(0) } });
refused('no TCB info', 'tdx', 'CollateralMissing(bytes32)', { collateral: { tcbInfo: Buffer.alloc(0) } });
refused('no quoting enclave identity', 'tdx', 'CollateralMissing(bytes32)', { collateral: { qeIdentity: Buffer.alloc(0) } });

// PCK certificates.
const pckOf = (options, issuer = intel.authority) =>
  certificate(issuer, { common: 'Test', key: machine.key }, { ...years, serial: machine.serial, ...options });
const field = (arcs, value) => sequence(oid(`1.2.840.113741.1.13.1.${arcs}`), value);
const fields = {
  ppid: field('1', octets(Buffer.alloc(16, 1))),
  tcb: field('2', sequence(field('2.17', small(13)), field('2.18', octets(cpuSvn)))),
  fmspc: field('4', octets(fmspc)),
};
const sgx = (...parts) => ({ more: [sequence(oid('1.2.840.113741.1.13.1'), octets(sequence(...parts)))] });
const sgxOf = (change) => sgx(...Object.values({ ...fields, ...change }).filter(Boolean));
accepted('a PCK certificate with the least fields', 'tdx', 1, { pck: pckOf(sgxOf({})) });
refused('a PCK certificate by another authority', 'tdx', 'SignatureInvalid()', { pck: pckOf(sgxOf({}), { common: intel.authority.common, key: key('stranger') }) });
refused('a PCK certificate by the root', 'tdx', 'IssuerMismatch()', { pck: pckOf(sgxOf({}), intel.root) });
refused('a PCK certificate that has run out', 'tdx', 'NotValidNow(uint256,uint256)', { pck: pckOf({ ...sgxOf({}), until: now - 1 }) });
refused('a PCK certificate that is not valid yet', 'tdx', 'NotValidNow(uint256,uint256)', { pck: pckOf({ ...sgxOf({}), from: now + 1 }) });
refused('a PCK certificate of an authority', 'tdx', 'CertificateRole()', { pck: pckOf({ ...sgxOf({}), authority: { path: 0 } }) });
refused('a PCK certificate of an authority that may sign', 'tdx', 'CertificateRole()', { pck: pckOf({ change: ext(usage(0xc0, 6), basic(boolean(true))) }) });
refused('a PCK certificate that may not sign', 'tdx', 'CertificateRole()', { pck: pckOf({ change: ext(usage(0x40, 6), basic()) }) });
refused('a PCK certificate without SGX extension', 'tdx', der, { pck: pckOf({}) });
refused('a PCK certificate without PPID', 'tdx', 'PckFieldsMissing(uint256)', { pck: pckOf(sgxOf({ ppid: null })) });
refused('a PCK certificate without TCB', 'tdx', 'PckFieldsMissing(uint256)', { pck: pckOf(sgxOf({ tcb: null })) });
refused('a PCK certificate without FMSPC', 'tdx', 'PckFieldsMissing(uint256)', { pck: pckOf(sgxOf({ fmspc: null })) });
refused('a PCK certificate without PCESVN', 'tdx', 'PckFieldsMissing(uint256)', { pck: pckOf(sgxOf({ tcb: field('2', sequence(field('2.18', octets(cpuSvn)))) })) });
refused('a PCK certificate with two PPIDs', 'tdx', der, { pck: pckOf(sgxOf({ again: fields.ppid })) });
refused('a PCK certificate with two CPUSVNs', 'tdx', der, { pck: pckOf(sgxOf({ tcb: field('2', sequence(field('2.17', small(13)), field('2.18', octets(cpuSvn)), field('2.18', octets(cpuSvn)))) })) });
refused('a PCK certificate with a short PPID', 'tdx', der, { pck: pckOf(sgxOf({ ppid: field('1', octets(Buffer.alloc(15))) })) });
refused('a PCK certificate with a short FMSPC', 'tdx', der, { pck: pckOf(sgxOf({ fmspc: field('4', octets(Buffer.alloc(5))) })) });
refused('a PCK certificate with a short CPUSVN', 'tdx', der, { pck: pckOf(sgxOf({ tcb: field('2', sequence(field('2.17', small(13)), field('2.18', octets(Buffer.alloc(15))))) })) });
refused('a PCK certificate with a large PCESVN', 'tdx', der, { pck: pckOf(sgxOf({ tcb: field('2', sequence(field('2.17', Buffer.from([2, 3, 1, 0, 0])), field('2.18', octets(cpuSvn)))) })) });
refused('a PCK certificate with a foreign field', 'tdx', der, { pck: pckOf(sgxOf({ foreign: sequence(oid('1.2.840.113741.1.13.2.1'), octets(fmspc)) })) });
refused('no PCK certificate', 'tdx', der, { pck: Buffer.alloc(0) });

/** The root's list, but without the extensions that every such list has. */
function withoutExtensions() {
  const tbs = sequence(small(1), sequence(oid('1.2.840.10045.4.3.2')), name(intel.root.common), time(lists.from), time(lists.until));
  return sequence(tbs, sequence(oid('1.2.840.10045.4.3.2')), bits(intel.root.key.signDer(tbs)));
}

const hex = (value) => {
  if (Buffer.isBuffer(value)) return bytesToHex(value);
  if (value && typeof value === 'object' && !Array.isArray(value)) {
    return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, hex(each)]));
  }
  return value;
};
const fixture = {
  now,
  rootId: root,
  pckAuthority: pckAuthorityId(root, intel.authorityCertificate),
  registration: {
    ...registration,
    tdxMeasurement: keccak256(measurement(td())),
    sgxMeasurement: keccak256(toHex(Buffer.alloc(32, 0xe1))),
    rtmr3: configRegister(registration.configHash),
  },
  bases,
  // TCB info issued an hour later, with other evaluation numbers.
  later: {
    lower: signedInfo(tdInfo({ issued: dates.issued + 3600, evaluation: 19 })),
    higher: signedInfo(tdInfo({ issued: dates.issued + 3600, evaluation: 21, levels: [level('SWHardeningNeeded')] })),
  },
  count: cases.length,
};
if (new Set(cases.map(({ name }) => name)).size !== cases.length) throw new Error('two cases have one name');
const file = (name) => new URL(`../fixtures/${name}`, import.meta.url);
writeFileSync(file('dcap.json'), `${JSON.stringify(hex(fixture), null, 1)}\n`);
// One case a line, so that a test need not hold them all.
const line = ({ error, status = 0, ...rest }) =>
  JSON.stringify(hex({ ...rest, status, error: error ? toFunctionSelector(error) : '0x00000000' }));
writeFileSync(file('dcap-cases.jsonl'), `${cases.map(line).join('\n')}\n`);
console.log(`${cases.length} cases`);
