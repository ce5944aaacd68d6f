// Draws accuracy over time: what a keep ratio costs and what it gives, beside the teacher.
//   blvit eval <model> --data <pictures> --keep-ratio 0.25,0.5,1 --teacher <teacher> --json > eval.json
//   blvit bench <model> <teacher> --keep-ratio 0.25,0.5,1 --batch 1,8 --json > bench.json
//   node scripts/plot-accuracy.mjs eval.json bench.json accuracy.svg
import { readFileSync, writeFileSync } from 'node:fs'
import { drawLineChart } from '../dist/modules/drawing/line-chart.js'

const [evalFile, benchFile, output] = process.argv.slice(2)
if (output === undefined) {
  console.error('usage: node scripts/plot-accuracy.mjs eval.json bench.json accuracy.svg')
  process.exit(2)
}
const read = (file) => JSON.parse(readFileSync(file, 'utf8'))
const evaluation = read(evalFile)
const bench = read(benchFile)
const percent = ({ share }) => 100 * share
const accuracy = new Map(evaluation.results.map(({ keepRatio, top1 }) => [keepRatio, percent(top1)]))
const batches = [...new Set(bench.results.map(({ batch }) => batch))]

const curves = batches.flatMap((batch) => {
  const ofBatch = bench.results.filter((result) => result.batch === batch)
  const point = ({ latencyMs }, y) => ({ x: latencyMs.median / batch, y })
  const model = ofBatch
    .filter(({ name, keepRatio }) => name === evaluation.model && accuracy.has(keepRatio))
    .map((result) => point(result, accuracy.get(result.keepRatio)))
  const teacher = ofBatch
    .filter(({ name }) => name === evaluation.teacher?.model)
    .map((result) => point(result, percent(evaluation.teacher.top1)))
  return [
    { name: `${evaluation.model}, batch ${batch}`, points: model },
    { name: `${evaluation.teacher?.model}, batch ${batch}`, points: teacher },
  ].filter(({ points }) => points.length > 0)
})
writeFileSync(
  output,
  drawLineChart({
    title: `Right answers over time, keep ratio ${Math.min(...accuracy.keys())} to ${Math.max(...accuracy.keys())}`,
    xLabel: 'ms a picture',
    yLabel: '% right',
    yFrom: 'smallest',
    curves,
  }),
)
