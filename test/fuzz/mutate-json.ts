import { mutateBytes } from './mutate-bytes.js'
import type { Random } from './random.js'

type Json = null | boolean | number | string | Json[] | { [key: string]: Json }
type Place =
  | { readonly holder: Json[]; readonly key: number }
  | { readonly holder: { [key: string]: Json }; readonly key: string }

/** Texts that stand where a value stood; some are JSON that no program writes, some no JSON at all. */
const hostileValues: readonly string[] = [
  'null',
  'true',
  '0',
  '-0',
  '-1',
  '0.5',
  '1e-320',
  '1e308',
  '1e999',
  '3',
  '224',
  '1000',
  '65535',
  '65536',
  '2147483648',
  '4294967296',
  '9007199254740991',
  '9007199254740993',
  '18446744073709551615',
  '1'.repeat(400),
  'NaN',
  'undefined',
  '""',
  '"0"',
  '"F64"',
  '"I64"',
  '"F8_E4M3"',
  '"BF16"',
  '"../../escape.safetensors"',
  '"/etc/passwd"',
  '"C:\\\\windows.safetensors"',
  '"a\\u0000.safetensors"',
  '"\\ud800"',
  `"${'a'.repeat(70_000)}"`,
  '[]',
  '{}',
  '[0]',
  '[-1, 5]',
  '[1, 1, 1, 1, 1, 1, 1, 1, 1]',
  '[0, 9007199254740991]',
  '{"__proto__": {"polluted": true}}',
  '{"constructor": {"prototype": {"polluted": true}}}',
  `${'['.repeat(20_000)}${']'.repeat(20_000)}`,
  `${'{"a":'.repeat(20_000)}1${'}'.repeat(20_000)}`,
  '[',
  '}',
]

const hostileKeys = [
  '__proto__',
  'constructor',
  'toString',
  '',
  '0',
  '../x',
  'a\0b',
  '__metadata__',
  'model.',
]

const mark = '@hostile@'

/** Changes one to three values or keys; a fifth of the time bytes of the text instead. */
export function mutateJson(text: string, random: Random): string {
  if (random.chance(0.2)) return Buffer.from(mutateBytes(Buffer.from(text), random)).toString('latin1')
  let mutated = text
  for (let left = 1 + random.integer(3); left > 0; left--) mutated = edited(mutated, random)
  return mutated
}

function edited(text: string, random: Random): string {
  try {
    return editedTree(JSON.parse(text) as Json, random)
  } catch {
    return text // an earlier edit left no JSON, or nested it too deep to be written again
  }
}

function editedTree(tree: Json, random: Random): string {
  const places = placesOf(tree)
  if (places.length === 0) return random.pick(hostileValues)
  const place = random.pick(places)
  const others = random.pick(places)
  const written = (change: (given: Place) => void) => {
    change(place)
    return JSON.stringify(tree).replace(`"${mark}"`, () => random.pick(hostileValues))
  }
  return random.pick([
    () => written((given) => put(given, mark)),
    () => written((given) => put(given, mark)),
    () => written((given) => put(given, shifted(valueAt(given), random))),
    () => written((given) => put(given, structuredClone(valueAt(others)))),
    () => written(remove),
    () => written((given) => rename(given, random.pick(hostileKeys))),
    () => repeatKey(JSON.stringify(tree), place),
  ])()
}

function placesOf(tree: Json): readonly Place[] {
  const places: Place[] = []
  const open: Json[] = [tree]
  for (let holder = open.pop(); holder !== undefined; holder = open.pop()) {
    if (Array.isArray(holder)) {
      for (let key = 0; key < holder.length; key++) places.push({ holder, key })
      open.push(...holder)
    } else if (typeof holder === 'object' && holder !== null) {
      for (const key of Object.keys(holder)) places.push({ holder, key })
      open.push(...Object.values(holder))
    }
  }
  return places
}

function valueAt({ holder, key }: Place): Json {
  return (holder as { [key: string]: Json })[key] as Json
}

function put({ holder, key }: Place, value: Json): void {
  Object.defineProperty(holder, key, { value, enumerable: true, configurable: true, writable: true })
}

function shifted(value: Json, random: Random): Json {
  return typeof value === 'number' ? value + random.pick([-1, 1, 2, 4, 8, 1024, -value * 2, value]) : value
}

function remove({ holder, key }: Place): void {
  if (Array.isArray(holder)) holder.splice(Number(key), 1)
  else delete holder[key]
}

function rename(place: Place, key: string): void {
  if (Array.isArray(place.holder)) return
  const value = valueAt(place)
  remove(place)
  put({ holder: place.holder, key }, value)
}

function repeatKey(text: string, { key }: Place): string {
  const name = `${JSON.stringify(String(key))}:`
  return text.replace(name, () => `${name}null,${name}`)
}
