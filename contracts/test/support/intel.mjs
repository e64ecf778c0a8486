// SPDX-License-Identifier: Apache-2.0
// A stand-in for Intel: root, PCK CA, TCB signing key, machines with PCK certificates, and collateral in the form and
// of the size that Intel serves. Its keys are derived from names: it vouches for nothing.

import { createECDH, createHash, createPrivateKey, sign } from 'node:crypto';
import { bits, boolean, element, explicit, integer, octets, oid, sequence, set, small, time, utf8 } from './der.mjs';

const day = 86_400;
const ecdsaWithSha256 = sequence(oid('1.2.840.10045.4.3.2'));

/** A P-256 key whose scalar is SHA-256 of its name. */
export function key(name) {
  const curve = createECDH('prime256v1');
  curve.setPrivateKey(createHash('sha256').update(`subrosa test ${name}`).digest());
  const point = curve.getPublicKey();
  const url = (bytes) => bytes.toString('base64url');
  const jwk = { kty: 'EC', crv: 'P-256', x: url(point.subarray(1, 33)), y: url(point.subarray(33)), d: url(curve.getPrivateKey()) };
  const secret = createPrivateKey({ key: jwk, format: 'jwk' });
  return {
    public: point.subarray(1),
    spki: sequence(sequence(oid('1.2.840.10045.2.1'), oid('1.2.840.10045.3.1.7')), bits(point)),
    /** r ‖ s. */
    sign: (bytes) => sign('sha256', bytes, { key: secret, dsaEncoding: 'ieee-p1363' }),
    signDer: (bytes) => sign('sha256', bytes, { key: secret, dsaEncoding: 'der' }),
  };
}

/** A distinguished name with as many attributes as Intel's. */
export function name(common) {
  const attribute = (type, value) => set(sequence(oid(type), value));
  return sequence(
    attribute('2.5.4.3', utf8(common)),
    attribute('2.5.4.10', utf8('Subrosa (tests)  ')),
    attribute('2.5.4.7', utf8('Santa Clara')),
    attribute('2.5.4.8', utf8('CA')),
    attribute('2.5.4.6', element(0x13, Buffer.from('US'))),
  );
}

function extension(type, critical, value) {
  return sequence(oid(type), ...(critical ? [boolean(true)] : []), octets(value));
}

const keyIdentifier = (spki) => createHash('sha256').update(spki).digest().subarray(0, 20);

/** What every certificate has; `authority` may certify, others may sign. */
function extensions(issuer, subject, authority, more = []) {
  return [
    extension('2.5.29.35', false, sequence(element(0x80, keyIdentifier(issuer.spki)))),
    extension('2.5.29.31', false, sequence(Buffer.alloc(96, 0x2e))),
    extension('2.5.29.14', false, octets(keyIdentifier(subject.spki))),
    extension('2.5.29.15', true, authority ? bits(Buffer.from([0x06]), 1) : bits(Buffer.from([0xc0]), 6)),
    extension('2.5.29.19', true, authority ? sequence(boolean(true), small(authority.path)) : sequence()),
    ...more,
  ];
}

/** An X.509 certificate. `change` may replace any of its fields. */
export function certificate(issuer, subject, { serial, from, until, authority, more, change = {} }) {
  const fields = {
    version: explicit(0, small(2)),
    serial: integer(serial),
    algorithm: ecdsaWithSha256,
    issuer: name(issuer.common),
    validity: sequence(time(from), time(until)),
    subject: name(subject.common),
    spki: subject.key.spki,
    extensions: explicit(3, sequence(...extensions(issuer.key, subject.key, authority, more))),
    ...change,
  };
  return signed(issuer.key, sequence(...Object.values(fields)));
}

function signed(issuerKey, tbs) {
  return sequence(tbs, ecdsaWithSha256, bits(issuerKey.signDer(tbs)));
}

/** A revocation list with these serial numbers. */
export function revocationList(issuer, { from, until, serials, more = [] }) {
  const entries = serials.map((serial) =>
    sequence(integer(serial), time(from), sequence(sequence(oid('2.5.29.21'), octets(Buffer.from([0x0a, 1, 1]))))),
  );
  return signed(
    issuer.key,
    sequence(
      small(1),
      ecdsaWithSha256,
      name(issuer.common),
      time(from),
      time(until),
      ...(entries.length > 0 ? [sequence(...entries)] : []),
      explicit(
        0,
        sequence(
          extension('2.5.29.20', false, small(1)),
          extension('2.5.29.35', false, sequence(element(0x80, keyIdentifier(issuer.key.spki)))),
          ...more,
        ),
      ),
    ),
  );
}

const sgx = '1.2.840.113741.1.13.1';

/** The SGX extension of a PCK certificate (Intel's profile specification, 1.3.5). */
function sgxExtension({ ppid, cpuSvn, pceSvn, fmspc }) {
  const entry = (arcs, value) => sequence(oid(`${sgx}.${arcs}`), value);
  const components = [...cpuSvn].map((svn, index) => entry(`2.${index + 1}`, small(svn)));
  return extension(
    sgx,
    false,
    sequence(
      entry('1', octets(ppid)),
      entry('2', sequence(...components, entry('2.17', small(pceSvn)), entry('2.18', octets(cpuSvn)))),
      entry('3', octets(Buffer.alloc(2))),
      entry('4', octets(fmspc)),
      entry('5', element(0x0a, Buffer.from([1]))),
      entry('6', octets(Buffer.alloc(16, 7))),
      entry('7', sequence(...[1, 2, 3].map((flag) => entry(`7.${flag}`, boolean(true))))),
    ),
  );
}

/** A hierarchy whose certificates are valid around `now` (Unix seconds). */
export function hierarchy(now) {
  const root = { common: 'Test SGX Root CA', key: key('root') };
  const authority = { common: 'Test  SGX PCK Platform CA', key: key('pck ca') };
  const signer = { common: 'Test  SGX TCB Signing', key: key('tcb signing') };
  const years = { from: now - 400 * day, until: now + 3000 * day };
  const serial = (of) => createHash('sha1').update(of).digest();
  return {
    root,
    authority,
    signer,
    years,
    rootCertificate: certificate(root, root, { ...years, serial: serial('root'), authority: { path: 1 } }),
    authorityCertificate: certificate(root, authority, { ...years, serial: serial('pck ca'), authority: { path: 0 } }),
    signerCertificate: certificate(root, signer, { ...years, serial: serial('signer') }),
    serial,
    /** A machine's PCK certificate and the key that certifies its quoting enclave. */
    machine(id, platform, options = {}) {
      const subject = { common: 'Test  SGX PCK Certificate', key: key(`pck ${id}`) };
      const more = [sgxExtension({ ppid: createHash('md5').update(id).digest(), ...platform })];
      return {
        key: subject.key,
        serial: serial(`pck ${id}`),
        certificate: certificate(authority, subject, { ...years, serial: serial(`pck ${id}`), more, ...options }),
      };
    },
  };
}

/** `YYYY-MM-DDTHH:MM:SSZ`. */
const iso = (unix) => new Date(unix * 1000).toISOString().replace('.000', '');

const categories = [
  { category: 'BIOS', type: 'Early Microcode Update' },
  { category: 'OS/VMM', type: 'SGX Late Microcode Update' },
  { category: 'OS/VMM', type: 'TXT SINIT' },
  { category: 'BIOS' },
  { category: 'BIOS' },
  { category: 'BIOS' },
  {},
  { category: 'OS/VMM', type: 'SEAMLDR ACM' },
];
const tdxCategories = [
  { category: 'OS/VMM', type: 'TDX Module' },
  { category: 'OS/VMM', type: 'TDX Module' },
  { category: 'OS/VMM', type: 'TDX Late Microcode Update' },
];
const components = (svns, kinds) => [...svns].map((svn, index) => ({ svn, ...kinds[index] }));

/** TCB info of version 3. Levels are `{ sgx, pcesvn, tdx, status }`; advisories fill it up to `length` bytes. */
export function tcbInfo({ tdx, issued, until, fmspc, evaluation, levels, modules, module = moduleIdentity(), length = 0 }) {
  const make = (advisories) => ({
    id: tdx ? 'TDX' : 'SGX',
    version: 3,
    issueDate: iso(issued),
    nextUpdate: iso(until),
    fmspc: fmspc.toString('hex').toUpperCase(),
    pceId: '0000',
    tcbType: 0,
    tcbEvaluationDataNumber: evaluation,
    ...(tdx && { tdxModule: module, tdxModuleIdentities: modules }),
    tcbLevels: levels.map((level, index) => ({
      tcb: {
        sgxtcbcomponents: components(level.sgx, categories),
        pcesvn: level.pcesvn,
        ...(tdx && { tdxtcbcomponents: components(level.tdx, tdxCategories) }),
      },
      tcbDate: iso(issued - (index + 1) * 100 * day),
      tcbStatus: level.status,
      ...(index > 0 && advisories > 0 && { advisoryIDs: Array(advisories).fill('INTEL-SA-00106') }),
    })),
  });
  for (let advisories = 0; ; advisories += 1) {
    const text = JSON.stringify(make(advisories));
    if (text.length >= length) return text;
  }
}

export function moduleIdentity(more = {}) {
  return { ...more.id && { id: more.id }, mrsigner: '00'.repeat(48), attributes: '00'.repeat(8), attributesMask: 'FF'.repeat(8), ...(more.levels && { tcbLevels: more.levels.map(([isvsvn, tcbStatus]) => ({ tcb: { isvsvn }, tcbDate: '2024-03-13T00:00:00Z', tcbStatus })) }) };
}

/** QE identity of version 2. */
export function qeIdentity({ tdx, issued, until, evaluation, mrSigner = qeMrSigner, levels = [[4, 'UpToDate']] }) {
  return JSON.stringify({
    id: tdx ? 'TD_QE' : 'QE',
    version: 2,
    issueDate: iso(issued),
    nextUpdate: iso(until),
    tcbEvaluationDataNumber: evaluation,
    miscselect: '00000000',
    miscselectMask: 'FFFFFFFF',
    attributes: '11000000000000000000000000000000',
    attributesMask: 'FBFFFFFFFFFFFFFF0000000000000000',
    mrsigner: mrSigner.toString('hex').toUpperCase(),
    isvprodid: tdx ? 2 : 1,
    tcbLevels: levels.map(([isvsvn, tcbStatus]) => ({ tcb: { isvsvn }, tcbDate: '2024-03-13T00:00:00Z', tcbStatus })),
  });
}

export const qeMrSigner = createHash('sha256').update('quoting enclave').digest();
