// Draws docs/images/layers.svg from the imports of src/: npm run draw:layers
import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const about = {
  base: 'errors, random numbers, look-ahead',
  graph: 'symbolic tensors, ops, gradients, cost, ONNX',
  nn: 'attention as a view, norms, linear maps',
  models: 'a family a file: vit, blvit, sam; the block loop',
  reduction: 'a paper a file: evit, tome, dynamic-vit, …',
  settings: 'what is said of a run: keepRatio, reduce, …',
  problems: 'what is asked of a picture: classify, embed',
  training: 'losses, stages, AdamW, sessions',
  files: 'whole or not at all, resumable state',
  threads: 'questions and answers between threads',
  weights: 'safetensors, float formats, the hub',
  image: 'decode, resize, normalise, augment',
  data: 'folders, csv, tars, labels',
  batches: 'pictures to learn from, ahead of the engine',
  runtime: 'ONNX Runtime: native, WebAssembly, WebGPU',
  'model-store': 'open, convert, write a model’s folder',
  engine: 'a model in a runtime: feeds, lanes, the queue',
  recipes: 'trainings as data',
  stages: 'a stage of a recipe in the engine, step by step',
  segmentation: 'masks: prompts, run lengths, scores',
  drawing: 'charts, lettering',
  tasks: 'load, classify, evaluate, trace, analyze, export',
  trainer: 'a recipe to a trained model',
  bench: 'how fast, and beside what',
  comparison: 'rows side by side: accuracy, work, time',
  finetune: 'your own classes: features, head, report',
  experiments: 'tables of trained models, their claims',
  cli: 'a command a file',
}

const depcruise = fileURLToPath(
  new URL('../node_modules/dependency-cruiser/bin/dependency-cruise.mjs', import.meta.url),
)
const { modules } = JSON.parse(
  execFileSync(
    process.execPath,
    [depcruise, '--config', '.dependency-cruiser.cjs', '--output-type', 'json', 'src'],
    {
      cwd: root,
      encoding: 'utf8',
      maxBuffer: 2 ** 28,
    },
  ),
)
const roomOf = (file) => /^src\/([^/]+)\//.exec(file)?.[1]
const rooms = new Map()
for (const { source, dependencies } of modules) {
  const room = roomOf(source)
  if (room === undefined) continue
  const found = rooms.get(room) ?? { files: 0, lines: 0, below: new Set() }
  found.files += 1
  found.lines += readFileSync(`${root}${source}`, 'utf8').split('\n').length
  for (const { resolved } of dependencies) {
    const other = roomOf(resolved)
    if (other !== undefined && other !== room) found.below.add(other)
  }
  rooms.set(room, found)
}

/** A floor for each room: one above the highest that it imports. */
const floors = new Map()
const floorOf = (room) => {
  if (!floors.has(room)) floors.set(room, 1 + Math.max(-1, ...[...rooms.get(room).below].map(floorOf)))
  return floors.get(room)
}
for (const room of rooms.keys()) floorOf(room)
/** Imports that no other way leads along: the rest would only be noise. */
const reaches = (from, to) =>
  rooms.get(from).below.has(to) || [...rooms.get(from).below].some((via) => reaches(via, to))
const arrows = [...rooms].flatMap(([room, { below }]) =>
  [...below]
    .filter((to) => ![...below].some((via) => via !== to && reaches(via, to)))
    .map((to) => [room, to]),
)

const [boxWidth, boxHeight, gapX, gapY, margin] = [292, 52, 22, 40, 16]
const top = Math.max(...floors.values())
const rows = Array.from({ length: top + 1 }, (_, floor) =>
  [...rooms.keys()].filter((room) => floors.get(room) === top - floor),
)
const widest = Math.max(...rows.map((row) => row.length))
const width = 2 * margin + widest * boxWidth + (widest - 1) * gapX
const height = 2 * margin + rows.length * boxHeight + (rows.length - 1) * gapY
const place = new Map(
  rows.flatMap((row, y) => {
    const rowWidth = row.length * boxWidth + (row.length - 1) * gapX
    return row.map((room, x) => [
      room,
      { x: (width - rowWidth) / 2 + x * (boxWidth + gapX), y: margin + y * (boxHeight + gapY) },
    ])
  }),
)
const boxes = [...rooms].map(([room, { files, lines }]) => {
  const { x, y } = place.get(room)
  return `<g><rect x="${x}" y="${y}" width="${boxWidth}" height="${boxHeight}" rx="6"/>
<text x="${x + 12}" y="${y + 21}" class="name">${room}</text>
<text x="${x + boxWidth - 12}" y="${y + 21}" class="size">${files} files, ${(lines / 1000).toFixed(1)}k lines</text>
<text x="${x + 12}" y="${y + 41}" class="about">${about[room] ?? ''}</text></g>`
})
const lines = arrows.map(([from, to]) => {
  const [a, b] = [place.get(from), place.get(to)]
  const [x1, y1, x2, y2] = [a.x + boxWidth / 2, a.y + boxHeight, b.x + boxWidth / 2, b.y]
  const bend = Math.min(60, (y2 - y1) / 2)
  return `<path d="M${x1} ${y1}C${x1} ${y1 + bend} ${x2} ${y2 - bend} ${x2} ${y2}"/>`
})
const svg = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif">
<title>The rooms of src/: each stands above all that it imports</title>
<style>rect{fill:#eef3fa;stroke:#4a6fa5}path{fill:none;stroke:#8fa6c7}.name{font-weight:bold;font-size:15px}.size,.about{font-size:11px;fill:#444}.size{text-anchor:end}</style>
<rect width="${width}" height="${height}" style="fill:#fff;stroke:none"/>
${lines.join('\n')}
${boxes.join('\n')}
</svg>
`
writeFileSync(`${root}docs/images/layers.svg`, svg)
process.stderr.write('Wrote docs/images/layers.svg.\n')
