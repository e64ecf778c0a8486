// SPDX-License-Identifier: Apache-2.0
// The reference as Markdown. What is said comes from NatSpec, signatures come from the source text at
// the places that the syntax tree names, selectors from the compiler.

/** Collects the page's lines, and under `faults` what lacks documentation. */
export class Document {
  faults = [];
  #lines = [];
  #texts;

  #paths;

  /** @param compiled what the compiler says, and source texts by path */
  constructor({ output, texts }) {
    this.#paths = Object.fromEntries(Object.entries(output.sources).map(([path, { id }]) => [id, path]));
    // The compiler counts bytes.
    this.#texts = Object.fromEntries(Object.entries(texts).map(([path, text]) => [path, Buffer.from(text)]));
  }

  text() {
    return `${this.#lines.join('\n').trimEnd()}\n`;
  }

  line(...lines) {
    this.#lines.push(...lines);
  }

  /** Links to every section. */
  index(definitions) {
    this.line('', '| | |', '|---|---|');
    for (const { definition } of definitions) {
      const { title, notice } = this.#natspec(definition);
      this.line(`| [${definition.name}](#${anchor(definition.name)}) | ${cell(title === definition.name ? notice : (title ?? notice))} |`);
    }
    this.line('| [Structs](#structs) | What crosses languages |');
    this.line('| [Errors](#errors) | Every custom error by selector: when it is raised and what to do |');
  }

  /** One contract, interface or library with what it declares itself. */
  contract(path, definition) {
    const { title, notice, details } = this.#natspec(definition);
    if (!title && !notice) this.faults.push(`${path}: ${definition.name} has neither title nor notice`);
    this.line('', `## ${definition.name}`, '', `\`${path}\``);
    const heading = title && title !== definition.name ? `**${title}.**` : '';
    for (const text of [heading, notice, details]) if (text) this.line('', text);

    const declared = (nodeType) => definition.nodes.filter((node) => node.nodeType === nodeType);
    const structs = declared('StructDefinition').filter((struct) => !this.#natspec(struct)['custom:storage-location']);
    this.#group('Structs', structs, (struct) => this.#structure(path, struct));
    const functions = declared('FunctionDefinition').filter((node) => visible(node, definition));
    this.#group('Functions', functions, (node) => this.#function(path, node));
    this.#group('Events', declared('EventDefinition'), (node) => {
      this.#item(path, node, `\`${node.eventSelector}\``);
    });
    this.#group('Errors', declared('ErrorDefinition'), (node) => this.#item(path, node, `\`0x${node.errorSelector}\``));
  }

  /** Structs that belong to no contract. */
  structures(list) {
    this.line('', '## Structs');
    for (const { path, struct } of list) this.#structure(path, struct);
  }

  /** The catalogue of all errors that published definitions declare. */
  errors(definitions) {
    this.line('', '## Errors', '', '| selector | error | of | when | what to do |', '|---|---|---|---|---|');
    const rows = definitions.flatMap(({ path, definition }) =>
      definition.nodes
        .filter(({ nodeType }) => nodeType === 'ErrorDefinition')
        .map((error) => {
          const { notice, remedy } = this.#natspec(error);
          if (!remedy) this.faults.push(`${path}: the error ${error.name} lacks @custom:remedy, which says what to do`);
          const cells = [`\`${canonical(error)}\``, definition.name, notice, remedy];
          return `| \`0x${error.errorSelector}\` | ${cells.map(cell).join(' | ')} |`;
        }),
    );
    this.line(...rows.sort());
  }

  /** Errors of libraries that can surface. */
  foreignErrors(list) {
    this.line('', '### Errors of OpenZeppelin', '', 'These come through from libraries.', '');
    this.line('| selector | error | of | when |', '|---|---|---|---|');
    const rows = list.map(({ path, error }) => {
      const { notice, details } = this.#natspec(error);
      const holder = path.split('/').at(-1).replace('.sol', '');
      const meaning = notice ?? details ?? '';
      return `| \`0x${error.errorSelector}\` | \`${canonical(error)}\` | ${holder} | ${cell(meaning)} |`;
    });
    this.line(...rows.sort());
  }

  #group(title, list, write) {
    if (list.length === 0) return;
    this.line('', `### ${title}`);
    list.forEach(write);
  }

  #function(path, node) {
    const selector = node.functionSelector ? `\`0x${node.functionSelector}\`` : node.kind === 'constructor' ? '' : 'internal';
    this.#item(path, node, selector);
  }

  #item(path, node, remark) {
    const name = node.name || node.kind;
    const { notice, details, parameters, returns, inherits } = this.#natspec(node);
    if (!notice && !details && !inherits && !parameters.length) this.faults.push(`${path}: ${name} is not documented`);
    this.line('', [`#### ${name}`, remark].filter(Boolean).join(' · '));
    this.line('', '```solidity', this.#declaration(path, node), '```');
    for (const text of [notice, details, inherits && `See \`${inherits}\`.`]) if (text) this.line('', text);
    const list = [
      ...parameters.map(([parameter, text]) => `- \`${parameter}\`: ${text}`),
      ...returns.map((text) => `- returns ${returned(text, node)}`),
    ];
    if (list.length > 0) this.line('', ...list);
  }

  #structure(path, struct) {
    const { notice, details } = this.#natspec(struct);
    this.line('', `#### ${struct.name}`);
    for (const text of [notice, details]) if (text) this.line('', text);
    this.line('', '| field | type | |', '|---|---|---|');
    for (const member of struct.members) {
      const type = this.#slice(path, member.typeName.src).replace(/\s+/g, ' ');
      this.line(`| \`${member.name}\` | \`${type}\` | ${cell(this.#memberComment(path, member))} |`);
    }
  }

  /** A declaration on one line if it fits there, as in the source if not, without its body. */
  #declaration(path, node) {
    const [start, length] = node.src.split(':').map(Number);
    const end = node.body ? Number(node.body.src.split(':')[0]) : start + length;
    const text = this.#texts[path].subarray(start, end).toString().replace(/;\s*$/, '').trim();
    const flat = text.replace(/\s+/g, ' ').replaceAll('( ', '(').replaceAll(' )', ')');
    return flat.length <= 100 ? flat : text.replace(/\n {4}/g, '\n');
  }

  /** The compiler attaches no documentation to a struct's fields: the comment lines just above. */
  #memberComment(path, member) {
    const before = this.#texts[path].subarray(0, Number(member.src.split(':')[0])).toString().split('\n').slice(0, -1);
    const comment = [];
    while (before.at(-1)?.trim().startsWith('///')) comment.unshift(before.pop().trim().slice(3).trim());
    return comment.join(' ');
  }

  /** A node's documentation by tag. The syntax tree drops empty lines, so from the source. */
  #natspec({ documentation }) {
    const parts = { parameters: [], returns: [] };
    if (!documentation) return parts;
    const comment = this.#slice(this.#paths[documentation.src.split(':')[2]], documentation.src);
    const text = comment.replace(/^[ \t]*\/\/\/[ \t]?/gm, '');
    for (const part of text.split(/(?:^|\n)\s*(?=@)/)) {
      const [, tag, content] = /^(?:@(\S+)\s+)?([\s\S]*)$/.exec(part.trim());
      if (!content) continue;
      const flat = content.replace(/(?<!\n)\n(?!\n)/g, ' ').trim();
      if (tag === 'param') parts.parameters.push([flat.split(' ')[0], flat.slice(flat.indexOf(' ') + 1)]);
      else if (tag === 'return') parts.returns.push(flat);
      else parts[NAMES[tag] ?? tag ?? 'notice'] = flat;
    }
    return parts;
  }

  #slice(path, src) {
    const [start, length] = src.split(':').map(Number);
    return this.#texts[path].subarray(start, start + length).toString();
  }
}

/** What callers can reach and, of bases and libraries, what code that builds on them can. */
function visible({ visibility, kind }, definition) {
  if (visibility === 'private' || kind === 'receive') return false;
  return visibility !== 'internal' || definition.abstract || definition.contractKind === 'library';
}

/** The name of a named return value stands first. */
function returned(text, node) {
  const names = node.returnParameters?.parameters.map(({ name }) => name).filter(Boolean) ?? [];
  const [first, ...rest] = text.split(' ');
  return names.includes(first) ? `\`${first}\`: ${rest.join(' ')}` : text;
}

/** Name and types, as hashed for the selector; errors take elementary types only. */
function canonical({ name, parameters }) {
  const types = parameters.parameters.map(({ typeDescriptions }) => {
    return typeDescriptions.typeString.replace(/^contract .*/, 'address').replace(/^enum .*/, 'uint8');
  });
  return `${name}(${types.join(',')})`;
}

function cell(text) {
  return (text ?? '').replace(/\s+/g, ' ').replaceAll('|', '\\|').trim();
}

function anchor(name) {
  return name.toLowerCase();
}

const NAMES = { dev: 'details', inheritdoc: 'inherits', 'custom:remedy': 'remedy' };
