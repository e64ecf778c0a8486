// SPDX-License-Identifier: Apache-2.0
// The envelope and reply formats, version 1, written down a second time and independently of the
// Rust crate `subrosa-crypto`, whose documentation describes them.

import { createHmac, timingSafeEqual, webcrypto } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { gcmsiv } from '@noble/ciphers/aes'
import {
  bytesToBigInt,
  bytesToHex,
  concat,
  encodeAbiParameters,
  hexToBytes,
  keccak256,
  numberToBytes,
  numberToHex,
  size,
  stringToBytes,
  stringToHex,
} from 'viem'

const directory = new URL('../../../fixtures/envelopes/', import.meta.url)

/** Where a vector file is. */
export const fixture = (name) => new URL(name, directory)

/** A vector file's content. */
export const readFixture = (name) => JSON.parse(readFileSync(fixture(name), 'utf8'))

const domain = (name) => keccak256(stringToHex(`subrosa.v1.${name}`))

/** The epoch's private keys, derived from its secret. */
export async function epochKeys({ testSecret, keyGroup, keyEpoch }) {
  const secret = await webcrypto.subtle.importKey('raw', hexToBytes(testSecret), 'HKDF', false, [
    'deriveBits',
  ])
  const derive = async (label) => {
    const fields = [stringToHex(label), numberToHex(keyGroup, { size: 4 }), numberToHex(keyEpoch, { size: 4 })]
    const info = concat(fields.flatMap((field) => [numberToHex(size(field), { size: 8 }), field]))
    const bits = await webcrypto.subtle.deriveBits(
      {
        name: 'HKDF',
        hash: 'SHA-256',
        salt: stringToBytes('subrosa/v1/epoch-secret'),
        info: hexToBytes(info),
      },
      secret,
      256,
    )
    return new Uint8Array(bits)
  }
  return {
    1: await derive('subrosa/v1/epoch-key/x-wing'),
    2: await derive('subrosa/v1/epoch-key/x25519'),
  }
}

/** `EpochOpening.publicKeyHash`. */
export function publicKeyHash({ xWingPublicKey, x25519PublicKey }) {
  return keccak256(
    encodeAbiParameters(
      [{ type: 'bytes32' }, { type: 'bytes32' }, { type: 'bytes32' }],
      [domain('epoch-key'), keccak256(xWingPublicKey), x25519PublicKey],
    ),
  )
}

const bytes = (name) => ({ name, type: 'bytes' })
const structs = {
  deploy: [
    { name: 'engine', type: 'uint8' },
    { name: 'salt', type: 'bytes32' },
    bytes('code'),
    bytes('init'),
    bytes('padding'),
  ],
  call: [bytes('input'), bytes('replyKey'), bytes('padding')],
  query: [
    bytes('input'),
    bytes('replyKey'),
    { name: 'nonce', type: 'bytes32' },
    { name: 'expiry', type: 'uint64' },
    { name: 'caller', type: 'address' },
    bytes('signature'),
    bytes('padding'),
  ],
}

/** `abi.encode` of a plaintext struct, padded to a power of two of at least 256 bytes. */
export function encodePlaintext(content) {
  const encode = (padding) =>
    encodeAbiParameters(
      [{ type: 'tuple', components: structs[content.kind] }],
      [{ ...content, padding }],
    )
  const unpadded = size(encode('0x'))
  let padded = 256
  while (padded < unpadded) padded *= 2
  return encode(`0x${'00'.repeat(padded - unpadded)}`)
}

const ENVELOPE_INFO = stringToBytes('subrosa/v1/envelope')
const REPLY_INFO = stringToBytes('subrosa/v1/reply')
const FIXED_LENGTH = 100
const ENCAPSULATED_LENGTH = { 1: 1120, 2: 32 }

const commitmentContext = (id) =>
  hexToBytes(concat([stringToHex('subrosa/v1/key-commitment'), id]))

const envelopeAad = (prefix, { chainId, oracle, contractId, requester, context }) =>
  hexToBytes(
    concat([
      domain('envelope'),
      prefix,
      numberToHex(chainId, { size: 32 }),
      oracle,
      contractId,
      requester,
      context,
    ]),
  )

/** Seals a vector's plaintext to `publicKey`. */
export async function sealEnvelope(implementation, publicKey, epoch, vector) {
  const sender = await implementation.sender(hexToBytes(publicKey), ENVELOPE_INFO)
  const tag = await sender.exportBytes(commitmentContext(vector.id))
  const prefix = concat([
    '0x01',
    numberToHex(vector.suite, { size: 1 }),
    '0x00',
    numberToHex(vector.purpose, { size: 1 }),
    numberToHex(epoch.keyGroup, { size: 4 }),
    numberToHex(epoch.keyEpoch, { size: 4 }),
    vector.id,
    numberToHex(vector.expiry, { size: 8 }),
    vector.recipients,
    bytesToHex(tag),
    bytesToHex(sender.encapsulated),
  ])
  const ciphertext = await sender.seal(hexToBytes(vector.plaintext), envelopeAad(prefix, vector))
  return concat([prefix, bytesToHex(ciphertext)])
}

/** Takes a mode-0 envelope apart. */
export function parseEnvelope(envelope) {
  const all = hexToBytes(envelope)
  const hex = (start, end) => bytesToHex(all.subarray(start, end))
  const number = (start, end) => Number(bytesToBigInt(all.subarray(start, end)))
  const end = FIXED_LENGTH + ENCAPSULATED_LENGTH[all[1]]
  return {
    version: all[0],
    suite: all[1],
    mode: all[2],
    purpose: all[3],
    keyGroup: number(4, 8),
    keyEpoch: number(8, 12),
    id: hex(12, 28),
    expiry: number(28, 36),
    recipients: hex(36, 68),
    keyCommitment: all.subarray(68, 100),
    encapsulated: all.subarray(FIXED_LENGTH, end),
    prefix: hex(0, end),
    ciphertext: all.subarray(end),
  }
}

/** Opens an envelope under `binding`; throws if it does not open. */
export async function openEnvelope(implementation, privateKey, envelope, binding) {
  const parts = parseEnvelope(envelope)
  const recipient = await implementation.recipient(privateKey, parts.encapsulated, ENVELOPE_INFO)
  const tag = await recipient.exportBytes(commitmentContext(parts.id))
  if (!timingSafeEqual(tag, parts.keyCommitment)) throw new Error('key commitment')
  return bytesToHex(await recipient.open(parts.ciphertext, envelopeAad(parts.prefix, binding)))
}

const SESSION = stringToBytes('subrosa/v1/session')

/** The secret of the session that an envelope opens, as its recipient has it. */
export async function sessionSecret(implementation, privateKey, envelope) {
  const { encapsulated } = parseEnvelope(envelope)
  const recipient = await implementation.recipient(privateKey, encapsulated, ENVELOPE_INFO)
  return recipient.exportBytes(SESSION)
}

/** A key that follows from a session's secret and `subject`. */
async function sessionKey(secret, label, subject) {
  const root = await webcrypto.subtle.importKey('raw', secret, 'HKDF', false, ['deriveBits'])
  const fields = [stringToHex(label), subject].flatMap((field) => [numberToHex(size(field), { size: 8 }), field])
  const parameters = { name: 'HKDF', hash: 'SHA-256', salt: SESSION, info: hexToBytes(concat(fields)) }
  return new Uint8Array(await webcrypto.subtle.deriveBits(parameters, root, 256))
}

/** Key and key-commitment tag of the envelope `id` of a session. */
async function sessionKeys(secret, id) {
  const raw = await sessionKey(secret, 'subrosa/v1/session-key', id)
  const key = await webcrypto.subtle.importKey('raw', raw, 'AES-GCM', false, ['encrypt', 'decrypt'])
  return { key, commitment: await sessionKey(secret, 'subrosa/v1/session-commitment', id) }
}

const sessionParameters = (prefix, binding) => ({
  name: 'AES-GCM',
  iv: new Uint8Array(12),
  additionalData: envelopeAad(prefix, binding),
})

/** Seals a call's input in a session. */
export async function sealInSession(secret, epoch, opening, vector) {
  const { key, commitment } = await sessionKeys(secret, vector.id)
  const prefix = concat([
    '0x01',
    numberToHex(opening.suite, { size: 1 }),
    '0x01',
    '0x02',
    numberToHex(epoch.keyGroup, { size: 4 }),
    numberToHex(epoch.keyEpoch, { size: 4 }),
    vector.id,
    numberToHex(vector.expiry, { size: 8 }),
    `0x${'00'.repeat(32)}`,
    bytesToHex(commitment),
    numberToHex(vector.session, { size: 8 }),
  ])
  const padded = pad(vector.input)
  const ciphertext = await webcrypto.subtle.encrypt(sessionParameters(prefix, opening), key, padded)
  return concat([prefix, bytesToHex(new Uint8Array(ciphertext))])
}

/** Opens an envelope of a session under the opening envelope's binding; throws if it does not open. */
export async function openInSession(secret, opening, envelope) {
  const all = hexToBytes(envelope)
  const prefix = all.subarray(0, FIXED_LENGTH + 8)
  const { key, commitment } = await sessionKeys(secret, bytesToHex(all.subarray(12, 28)))
  if (!timingSafeEqual(commitment, all.subarray(68, 100))) throw new Error('key commitment')
  const parameters = sessionParameters(bytesToHex(prefix), opening)
  const padded = new Uint8Array(await webcrypto.subtle.decrypt(parameters, key, all.subarray(prefix.length)))
  return unpad(padded)
}

/** Length ‖ bytes ‖ zeros, a power of two of at least 64 bytes. */
function pad(bytes) {
  const padded = new Uint8Array(Math.max(64, 2 ** Math.ceil(Math.log2(size(bytes) + 4))))
  padded.set(hexToBytes(concat([numberToHex(size(bytes), { size: 4 }), bytes])))
  return padded
}

/** What the reply to the entry `digest` in a session is sealed with. */
async function sessionReplyCipher(secret, session, header, { chainId, oracle, contractId, digest }) {
  const subject = concat(['0x01', digest])
  const key = await sessionKey(secret, 'subrosa/v1/session-reply', subject)
  const nonceKey = await sessionKey(secret, 'subrosa/v1/session-reply-nonce', subject)
  const aad = hexToBytes(
    concat([
      domain('session-reply'),
      bytesToHex(header),
      numberToHex(session, { size: 8 }),
      numberToHex(chainId, { size: 32 }),
      oracle,
      contractId,
      subject,
    ]),
  )
  const nonceOf = (padded) => {
    const mac = createHmac('sha256', nonceKey)
    mac.update(hexToBytes(numberToHex(aad.length, { size: 8 }))).update(aad).update(padded)
    return new Uint8Array(mac.digest()).subarray(0, 12)
  }
  return { nonceOf, cipher: (nonce) => gcmsiv(key, nonce, aad) }
}

/** Seals a reply in a session. The same arguments give the same bytes. */
export async function sealSessionReply(secret, session, suite, binding, output) {
  const padded = pad(output)
  const header = Uint8Array.of(1, suite, 5, Math.log2(padded.length))
  const { nonceOf, cipher } = await sessionReplyCipher(secret, session, header, binding)
  const nonce = nonceOf(padded)
  return concat([bytesToHex(header), bytesToHex(nonce), bytesToHex(cipher(nonce).encrypt(padded))])
}

/** Opens a reply in a session under `binding`; throws if it does not open. */
export async function openSessionReply(secret, session, binding, reply) {
  const all = hexToBytes(reply)
  const [version, , purpose, sizeClass] = all
  if (version !== 1 || purpose !== 5 || all.length !== 16 + 2 ** sizeClass + 16) {
    throw new Error('malformed reply')
  }
  const header = all.subarray(0, 4)
  const { nonceOf, cipher } = await sessionReplyCipher(secret, session, header, binding)
  const nonce = all.subarray(4, 16)
  const padded = cipher(nonce).decrypt(all.subarray(16))
  if (!timingSafeEqual(nonce, nonceOf(padded))) throw new Error('nonce')
  return unpad(padded)
}

function unpad(padded) {
  const length = Number(bytesToBigInt(padded.subarray(0, 4)))
  if (padded.subarray(4 + length).some((byte) => byte !== 0)) throw new Error('padding')
  return bytesToHex(padded.subarray(4, 4 + length))
}

/** Opens a sealed reply under `binding`; throws if it does not open. */
export async function openReply(implementation, privateKey, reply, binding) {
  const all = hexToBytes(reply)
  const [version, suite, purpose, sizeClass] = all
  const start = 4 + ENCAPSULATED_LENGTH[suite]
  if (version !== 1 || purpose !== 4 || all.length !== start + 2 ** sizeClass + 16) {
    throw new Error('malformed reply')
  }
  const recipient = await implementation.recipient(privateKey, all.subarray(4, start), REPLY_INFO)
  const aad = concat([
    domain('reply'),
    bytesToHex(all.subarray(0, start)),
    numberToHex(binding.chainId, { size: 32 }),
    binding.oracle,
    binding.contractId,
    bytesToHex(numberToBytes(binding.subjectKind, { size: 1 })),
    binding.subject,
  ])
  const padded = await recipient.open(all.subarray(start), hexToBytes(aad))
  return unpad(padded)
}
