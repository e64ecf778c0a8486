// SPDX-License-Identifier: Apache-2.0
// The part of JSON Schema (2020-12) that deployments/schema.json uses. A keyword it does not know is an
// error, lest the schema says something that nobody checks.

/** Gives what is wrong with a value, as `path: fault`. */
export function violations(schema, value, root = schema, path = '$') {
  const faults = [];
  const check = (holds, what) => holds || faults.push(`${path}: ${what}`);
  for (const [keyword, wanted] of Object.entries(schema)) {
    switch (keyword) {
      case '$schema':
      case '$defs':
      case 'title':
      case 'description':
        break;
      case '$ref':
        faults.push(...violations(root.$defs[wanted.replace('#/$defs/', '')], value, root, path));
        break;
      case 'const':
        check(value === wanted, `is not ${wanted}`);
        break;
      case 'type':
        check(typeOf(value) === wanted, `is not of type ${wanted}`);
        break;
      case 'minimum':
        check(!(value < wanted), `is below ${wanted}`);
        break;
      case 'pattern':
        check(new RegExp(wanted).test(value), `does not match ${wanted}`);
        break;
      case 'minItems':
        check(value?.length >= wanted, `has fewer than ${wanted} items`);
        break;
      case 'items':
        (Array.isArray(value) ? value : []).forEach((item, i) => {
          faults.push(...violations(wanted, item, root, `${path}[${i}]`));
        });
        break;
      case 'required':
        for (const key of wanted) check(Object.hasOwn(value ?? {}, key), `lacks ${key}`);
        break;
      case 'properties':
        for (const [key, inner] of Object.entries(wanted)) {
          if (Object.hasOwn(value ?? {}, key)) faults.push(...violations(inner, value[key], root, `${path}.${key}`));
        }
        break;
      case 'additionalProperties':
        for (const key of Object.keys(value ?? {})) check(wanted || Object.hasOwn(schema.properties, key), `has ${key}`);
        break;
      default:
        throw new Error(`the schema uses ${keyword}, which is not checked`);
    }
  }
  return faults;
}

function typeOf(value) {
  if (Array.isArray(value)) return 'array';
  return Number.isInteger(value) ? 'integer' : typeof value;
}
