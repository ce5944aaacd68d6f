// Completes package-lock.json with the builds for other systems that the registry at hand doesn't hold, and takes install
// steps out of it that nobody needs (ONNX Runtime's downloads CUDA libraries, from a host that may be out of reach).
// `npm ci` refuses a lock file in which an optional dependency has no entry; npm leaves the entry out where it
// can't fetch the package's description. The description of a platform build stands in its name.
// Run it after any change of the dependencies: node scripts/complete-lock.mjs
import { readFileSync, writeFileSync } from 'node:fs'

const systems = [
  'aix',
  'android',
  'darwin',
  'freebsd',
  'linux',
  'netbsd',
  'openbsd',
  'openharmony',
  'sunos',
  'win32',
]
const processors = ['arm', 'arm64', 'ia32', 'loong64', 'mips64el', 'ppc64', 'riscv64', 's390x', 'x64']

/** `@biomejs/cli-linux-x64-musl` → linux, x64, musl; undefined for what is no platform build */
function platformOf(name) {
  const words = name.split(/[/-]/)
  const os = words.find((word) => systems.includes(word))
  const cpu = words.find((word) => processors.includes(word))
  if (!os || !cpu) return undefined
  const abi = words.at(-1) ?? ''
  const libc = abi.startsWith('musl') ? ['musl'] : abi.startsWith('gnu') ? ['glibc'] : undefined
  return { os: [os], cpu: [cpu], ...(libc ? { libc } : {}) }
}

const path = new URL('../package-lock.json', import.meta.url)
const lock = JSON.parse(readFileSync(path, 'utf8'))
let added = 0
for (const [parent, { optionalDependencies = {}, dev }] of Object.entries(lock.packages)) {
  for (const [name, version] of Object.entries(optionalDependencies)) {
    const places = [`${parent}/node_modules/${name}`, `node_modules/${name}`]
    if (parent === '' || places.some((place) => place in lock.packages)) continue
    const platform = platformOf(name)
    if (!platform) continue
    const flags = { ...(dev ? { dev } : {}), optional: true }
    lock.packages[`node_modules/${name}`] = { version, ...flags, ...platform }
    added += 1
  }
}
// npm 11 skips the install steps that package.json's allowScripts denies; npm 10 those that the lock file doesn't mention
const { allowScripts } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))
for (const [name, isAllowed] of Object.entries(allowScripts))
  if (!isAllowed) delete lock.packages[`node_modules/${name}`].hasInstallScript
lock.packages = Object.fromEntries(Object.entries(lock.packages).sort(([a], [b]) => (a < b ? -1 : 1)))
writeFileSync(path, `${JSON.stringify(lock, null, 2)}\n`)
console.log(`${added} entries added`)
