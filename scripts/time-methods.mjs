// How much of the work that a method saves is saved time: multiply-adds and measured time of every method relative to the
// unreduced model, at four budgets of ViT-B and at the papers' settings of ViT-S, one picture and eight at once.
//   node scripts/time-methods.mjs <folder> [--only vit-base/tome,vit-small] [--rounds 2] [--threads 2]
// Weights are random. Each method is measured in one `blvit bench`, with the unreduced model in its rounds, a minute or so
// each; what the folder has is not measured again, so that the command goes on where it was stopped. Prints Markdown.
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    only: { type: 'string' },
    rounds: { type: 'string', default: '2' },
    threads: { type: 'string', default: '2' },
  },
})
const [folder] = positionals
if (folder === undefined) {
  console.error(
    'Usage: node scripts/time-methods.mjs <folder> [--only vit-base/tome,vit-small] [--rounds 2] [--threads 2]',
  )
  process.exit(2)
}
const command = fileURLToPath(new URL('../dist/cli/main.js', import.meta.url))

// Of random weights the gates of A-ViT and AdaViT decide by chance: budgets are set by what their scores are compared with,
// and at the four budgets AdaViT decides about patches alone.
const models = {
  'vit-base': {
    'image size': { flag: '--image-size', at: ['208', '192', '176', '160'] },
    'first layers': { flag: '--first-layers', at: ['10', '9', '8', '6'] },
    evit: { at: ['evit:0.8', 'evit:0.7', 'evit:0.6', 'evit:0.5'] },
    'top-k': { at: ['top-k:0.8', 'top-k:0.7', 'top-k:0.6', 'top-k:0.5'] },
    'evo-vit': { at: ['evo-vit:0.7', 'evo-vit:0.5', 'evo-vit:0.4', 'evo-vit:0.25'] },
    'dynamic-vit': {
      made: 'dynamic-vit:0.7',
      at: ['dynamic-vit:0.8', 'dynamic-vit:0.7', 'dynamic-vit:0.6', 'dynamic-vit:0.5'],
    },
    tome: { at: ['tome:8', 'tome:11', 'tome:13', 'tome:16'] },
    mctf: { at: ['mctf:9', 'mctf:12', 'mctf:15', 'mctf:19'] },
    ats: { at: ['ats:0.7', 'ats:0.5', 'ats:0.4', 'ats:0.3'] },
    'a-vit': {
      made: 'a-vit:2,scale=1',
      at: ['a-vit:2,scale=1', 'a-vit:1.75,scale=1', 'a-vit:1.5,scale=1', 'a-vit:1.25,scale=1'],
    },
    'ada-vit': {
      made: 'ada-vit:0.5',
      at: [0.4, 0.45, 0.5, 0.55].map((threshold) => `ada-vit:${threshold},decides=tokens`),
    },
    // what a head that is off saves, and a half of a block that doesn't run
    'ada-vit heads and layers': {
      made: 'ada-vit:0.5',
      at: ['ada-vit:0,decides=heads', 'ada-vit:0,decides=layers'],
    },
  },
  'vit-small': {
    controls: { flag: '--image-size', at: ['192', '160'] },
    untrained: { at: ['evit:0.7', 'evo-vit:0.5', 'tome:13', 'mctf:16', 'ats:0.5', 'top-k:0.7'] },
    'dynamic-vit': { made: 'dynamic-vit:0.7', at: ['dynamic-vit:0.7'] },
    'a-vit': { made: 'a-vit:2,scale=1', at: ['a-vit:1.75,scale=1'] },
    'ada-vit': { made: 'ada-vit:0.5', at: ['ada-vit:0.5,decides=tokens'] },
  },
}

function blvit(...words) {
  return execFileSync(process.execPath, [command, ...words], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
    maxBuffer: 64 * 1024 * 1024,
  })
}

/** A folder of random weights, for all methods that have none of their own the same: each process would else draw its own, for longer than it measures. */
function subject(model, made = 'none') {
  const path = join(folder, made === 'none' ? model : `${model}-${made.split(':')[0]}`)
  if (existsSync(path)) return path
  const own = made === 'none' ? [] : ['--set', `reduction=${made}`]
  blvit('init', model, ...own, '--seed', '0', '-o', path)
  return path
}

function measure(model, { flag = '--reduce', made, at }) {
  // what was made for a method runs by it if nobody says "none"
  const all = made === undefined ? at : ['none', ...at]
  const settings = all.flatMap((one) => [flag, one])
  const { rounds, threads } = values
  const how = ['--batch', '1,8', '--rounds', rounds, '--threads', threads, '--json']
  return blvit('bench', subject(model, made), ...settings, ...how)
}

const wanted = values.only?.split(',')
const isWanted = (model, name) =>
  wanted === undefined || wanted.some((one) => one === model || one === `${model}/${name}`)
const pieces = Object.entries(models).flatMap(([model, methods]) =>
  Object.entries(methods).map(([name, method]) => ({
    model,
    name,
    method,
    path: join(folder, `${model}-${name.replaceAll(' ', '-')}.json`),
  })),
)
mkdirSync(folder, { recursive: true })
const missing = pieces.filter(({ model, name, path }) => isWanted(model, name) && !existsSync(path))
for (const [done, { model, name, method, path }] of missing.entries()) {
  console.error(`${done + 1} of ${missing.length}: ${model}, ${name}`)
  const report = measure(model, method)
  writeFileSync(`${path}.part`, report)
  renameSync(`${path}.part`, path)
}

const number = (x, digits) => (Number.isFinite(x) ? x.toFixed(digits) : '–')

/** A row for each setting: its work and times as shares of those of the unreduced model in the same rounds. */
function rowsOf(report) {
  const settings = [...new Set(report.results.map(({ setting }) => setting))]
  const of = (setting, batch) =>
    report.results.find((result) => result.setting === setting && result.batch === batch)
  const plain = settings.find((setting) => setting === 'plain' || setting === 'none') ?? settings[0]
  return settings
    .filter((setting) => setting !== plain)
    .map((setting) => {
      const cells = [1, 8].flatMap((batch) => {
        const [own, whole] = [of(setting, batch), of(plain, batch)]
        if (!own || !whole) return ['–', '–', '–']
        const speedUp = whole.latencyMs.median / own.latencyMs.median
        const theory = whole.multiplyAdds / own.multiplyAdds
        return [number(own.latencyMs.median, 1), `×${number(speedUp, 2)}`, number(speedUp / theory, 2)]
      })
      const [own, whole] = [of(setting, 1), of(plain, 1)]
      const work = own && whole ? `${number((100 * own.multiplyAdds) / whole.multiplyAdds, 0)} %` : '–'
      return `| ${[setting, work, ...cells].join(' | ')} |`
    })
}

for (const model of Object.keys(models)) {
  const measured = pieces.filter((piece) => piece.model === model && existsSync(piece.path))
  if (measured.length === 0) continue
  const reports = measured.map(({ path }) => JSON.parse(readFileSync(path, 'utf8')))
  const disturbed = reports.flatMap(({ results }) => results).reduce((sum, r) => sum + r.disturbedRuns, 0)
  const runs = reports.flatMap(({ results }) => results).reduce((sum, r) => sum + r.runs + r.disturbedRuns, 0)
  console.log(`\n${model} (${disturbed} of ${runs} runs disturbed)\n`)
  console.log('| setting | T of plain | ms, batch 1 | speed-up | η | ms, batch 8 | speed-up | η |')
  console.log('|---|--:|--:|--:|--:|--:|--:|--:|')
  for (const report of reports) console.log(rowsOf(report).join('\n'))
}
