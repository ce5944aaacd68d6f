// Bundles the modules that tsc wrote to dist/modules into the few files that run: docs/architecture.md says why.
import { chmodSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'rolldown'

const folder = fileURLToPath(new URL('../dist', import.meta.url))
const modules = join(folder, 'modules')

/** Read on the way to every first label: in the bundle they are one file instead of a hundred. */
const bundledPackages = ['zod', 'commander', '@bufbuild/protobuf', 'fastest-levenshtein']

const isBundled = (id) =>
  /^[./]|^\w:/.test(id) || bundledPackages.some((name) => id === name || id.startsWith(`${name}/`))

/**
 * The files of threads and child processes lie under their own names beside all others: there `new URL('./name.js',
 * import.meta.url)` leads to them from whichever file it was put into.
 */
function startedFiles() {
  const files = readdirSync(modules, { recursive: true }).filter((file) => file.endsWith('.js'))
  const paths = files.flatMap((file) => {
    const text = readFileSync(join(modules, file), 'utf8')
    const found = text.matchAll(/new URL\(["'](\.\/[^'"]+\.js)["'],\s*import\.meta\.url\)/g)
    return [...found].map(([, path]) => join(modules, dirname(file), path))
  })
  const names = paths.map((path) => basename(path, '.js'))
  const twice = names.find((name, at) => names.indexOf(name) !== at)
  if (twice) throw new Error(`Two files that start a thread or a process are named ${twice}.js: rename one.`)
  return Object.fromEntries(names.map((name, at) => [name, paths[at]]))
}

/** All that is read with some modules: what they import, and what that imports. */
function closure(roots, context) {
  const seen = new Set()
  const pending = [...roots]
  for (let id = pending.pop(); id !== undefined; id = pending.pop()) {
    if (seen.has(id)) continue
    seen.add(id)
    pending.push(...(context.getModuleInfo(id)?.importedIds ?? []))
  }
  return seen
}

/**
 * The large files, in the order in which a process comes to read them: each holds what its modules need and no earlier
 * file has. What is in none of them the bundler puts into a file for each dynamic import.
 * `roots`: modules; `lateRoots`: modules whose dynamic imports are roots
 */
const parts = [
  { name: 'engine', roots: ['runtime/node/thread/worker.js', 'tasks/node/start-engine.js'] },
  { name: 'command-line', roots: ['cli/main.js'] },
  { name: 'label', lateRoots: ['cli/commands/classify.js', 'runtime/node/choose.js'] },
  { name: 'library', roots: ['index.js'] },
  // a program of its own that may read nothing of ours
  { name: 'transformers-js', roots: ['bench/transformers-js.js'] },
  { name: 'bench', roots: ['bench/bench.js', 'bench/training/bench-training.js', 'bench/programs/index.js'] },
]

/** Which of the parts a module belongs to. Entries stay files of their own. */
function partsOf(entries) {
  let partOf
  return (id, context) => {
    const inModules = (path) => join(modules, path)
    partOf ??= new Map(
      parts.toReversed().flatMap(({ name, roots = [], lateRoots = [] }) => {
        const late = lateRoots.flatMap(
          (path) => context.getModuleInfo(inModules(path)).dynamicallyImportedIds,
        )
        return [...closure([...roots.map(inModules), ...late], context)].map((module) => [module, name])
      }),
    )
    return entries.includes(id) ? null : (partOf.get(id) ?? null)
  }
}

/** @param input name of an entry's file → its module */
async function bundle(input, { platform, dir, codeSplitting }) {
  const { output } = await build({
    input,
    platform,
    external: (id) => !isBundled(id),
    // files that others import from may export more than their modules do
    preserveEntrySignatures: 'allow-extension',
    output: {
      dir,
      format: 'esm',
      entryFileNames: '[name].js',
      chunkFileNames: '[name].js',
      // what they tell stands in the types
      comments: { jsdoc: false },
      // one character beyond Latin-1 makes V8 hold a whole file in two bytes a character
      charset: 'ascii',
      codeSplitting,
    },
    onLog(level, log, handle) {
      // what one command imports late, another may have read before
      if (log.code !== 'INEFFECTIVE_DYNAMIC_IMPORT') handle(level, log)
    },
  })
  const written = new Set(output.map(({ fileName }) => fileName))
  for (const name of readdirSync(dir)) if (name.endsWith('.js') && !written.has(name)) rmSync(join(dir, name))
  return output.flatMap(({ moduleIds = [] }) => moduleIds)
}

/** The lines of comment that a module begins with: who made it and what is allowed. */
function heading(id) {
  return /^(?:\/\/.*\n)*/.exec(readFileSync(id, 'utf8'))[0].trim()
}

/** The licences of the packages that some modules are from: their texts have to go with every copy. */
function licencesOf(moduleIds) {
  const folderOf = (id) => /^.*[\\/]node_modules[\\/](?:@[^\\/]+[\\/])?[^\\/]+/.exec(id)?.[0]
  const folders = new Set(moduleIds.flatMap((id) => folderOf(id) ?? []))
  return [...folders].sort().map((packageFolder) => {
    const { name, version, license } = JSON.parse(readFileSync(join(packageFolder, 'package.json'), 'utf8'))
    const file = readdirSync(packageFolder).find((entry) => /^licen[cs]e/i.test(entry))
    const texts = file
      ? [readFileSync(join(packageFolder, file), 'utf8').trim()]
      : [...new Set(moduleIds.filter((id) => folderOf(id) === packageFolder).map(heading))]
    return `${[`${name} ${version}, ${license}`, ...texts].join('\n\n')}\n`
  })
}

const nodeEntries = {
  index: join(modules, 'index.js'),
  'cli/main': join(modules, 'cli/main.js'),
  ...startedFiles(),
}

const forNode = await bundle(nodeEntries, {
  platform: 'node',
  dir: folder,
  codeSplitting: {
    groups: [{ name: partsOf(Object.values(nodeEntries)), debugName: 'parts' }],
    includeDependenciesRecursively: false,
  },
})
// apart, so that no file of it holds anything of Node
const forBrowsers = await bundle(
  { index: join(modules, 'web.js') },
  { platform: 'browser', dir: join(folder, 'web'), codeSplitting: true },
)
const rule = `\n${'-'.repeat(80)}\n\n`
writeFileSync(join(folder, 'licenses.txt'), licencesOf([...forNode, ...forBrowsers]).join(rule))
// npm makes it executable when it installs, and a build after that would take that away again
chmodSync(join(folder, 'cli/main.js'), 0o755)
