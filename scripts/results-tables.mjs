// Writes the tables of docs/results.md from what commands left in docs/results: between `<!-- table NAME -->` and `<!-- end -->`.
//   npm run build && node scripts/results-tables.mjs
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { tableMarkdown } from '../dist/modules/experiments/report.js'

const root = new URL('../docs/', import.meta.url)
const page = new URL('results.md', root)
const text = (name) => readFileSync(new URL(`results/${name}`, root), 'utf8')
const json = (name) => JSON.parse(text(name))
const log = (name) =>
  gunzipSync(readFileSync(new URL(`training/${name}.log.jsonl.gz`, root)))
    .toString()
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))

const none = '–'
const notYet = 'Not run to its end yet.'
const percent = (share) => (share?.of ? (100 * share.share).toFixed(1) : none)
const interval = (share) =>
  share?.of ? `${(100 * share.low).toFixed(1)} – ${(100 * share.high).toFixed(1)}` : none
const fixed = (value, digits) => (value === undefined ? none : value.toFixed(digits))
const times = (ratio) => (Number.isFinite(ratio) ? `×${ratio.toFixed(2)}` : none)

function markdown(headings, rows) {
  const line = (cells) => `| ${cells.join(' | ')} |`
  return [line(headings), line(headings.map((_, i) => (i === 0 ? '---' : '--:'))), ...rows.map(line)].join(
    '\n',
  )
}

/** Accuracy beside work and, where they were measured, times: what `blvit compare` found. */
function compared(name) {
  const { rows } = json(name)
  const whole = rows.find(({ model, setting }) => model === 'vit-tiny' && !/\d/.test(setting))
  const isTimed = rows.some(({ times: own }) => own)
  const timed = ['ms, one', 'faster', 'pictures/s, many', 'faster']
  return markdown(
    ['model', 'top-1 %', '95 %', 'as vit-tiny %', 'T, G', ...(isTimed ? timed : [])],
    rows.map(({ model, setting, answers, agreement, cost, times: own }) => [
      `${model}, ${setting}`,
      percent(answers?.top1),
      interval(answers?.top1),
      percent(agreement),
      `${cost?.counted ? '≈ ' : ''}${fixed(cost && cost.multiplyAdds.full / 1e9, 3)}`,
      ...(isTimed
        ? [
            fixed(own?.latencyMs.median, 1),
            times(whole?.times?.latencyMs.median / own?.latencyMs.median),
            fixed(own?.picturesPerSecond, 1),
            times(own?.picturesPerSecond / whole?.times?.picturesPerSecond),
          ]
        : []),
    ]),
  )
}

/** What `blvit eval` found at several settings, a model a line. */
function settingsTable(name) {
  const models = json(name)
  const settings = [...new Set(models.flatMap(({ results }) => results.map(({ setting }) => setting)))]
  return markdown(
    ['model', ...settings.map((setting) => setting.replace('keep ratio ', ''))],
    models.map(({ title, results }) => [
      title,
      ...settings.map((wanted) => {
        const { top1, agreement } = results.find(({ setting }) => setting === wanted) ?? {}
        return `${percent(top1)} (${percent(agreement)})`
      }),
    ]),
  )
}

/** The mean of a loss over each tenth of a training. */
function losses(names) {
  const tenths = names.map(({ title, name, loss, stage }) => {
    const steps = log(name).filter((record) => record.loss !== undefined && record.stage === stage)
    const part = steps.length / 10
    return [
      `${title}, ${steps.length} steps`,
      ...Array.from({ length: 10 }, (_, i) => {
        const own = steps.slice(Math.floor(i * part), Math.floor((i + 1) * part))
        return (own.reduce((sum, step) => sum + step[loss], 0) / own.length).toFixed(3)
      }),
    ]
  })
  return markdown(['loss', ...Array.from({ length: 10 }, (_, i) => `${i + 1}/10`)], tenths)
}

/** A table of `blvit reproduce`, without its heading. */
function reproduced(name) {
  if (!existsSync(new URL(`results/${name}.json`, root))) return notYet
  return tableMarkdown(json(`${name}.json`))
    .split('\n')
    .slice(2)
    .join('\n')
    .trim()
}

const tables = {
  curve: () => compared('curve.json'),
  more: () => compared('more.json'),
  'second-all': () => compared('second-all.json'),
  'second-detail': () => compared('second-detail.json'),
  'second-other': () => compared('second-other.json'),
  'held-out': () => settingsTable('held-out.json'),
  validation: () => settingsTable('validation.json'),
  losses: () => losses(json('losses.json')),
  rim: () =>
    existsSync(new URL('results/rim-share.txt', root))
      ? `\`\`\`\n${text('rim-share.txt').trim()}\n\`\`\``
      : notYet,
  table3: () => reproduced('table3'),
  table4: () => reproduced('table4'),
  table5: () => reproduced('table5'),
}

const written = readFileSync(page, 'utf8').replace(
  /(<!-- table (\S+) -->\n)[\s\S]*?(<!-- end -->)/g,
  (_, before, name, after) => {
    const table = tables[name]
    if (!table) throw new Error(`docs/results.md asks for a table "${name}". Known: ${Object.keys(tables)}`)
    return `${before}\n${table()}\n\n${after}`
  },
)
if (process.argv.includes('--check')) {
  if (written !== readFileSync(page, 'utf8')) {
    console.error('docs/results.md differs from what docs/results has. Run node scripts/results-tables.mjs.')
    process.exit(1)
  }
} else writeFileSync(page, written)
