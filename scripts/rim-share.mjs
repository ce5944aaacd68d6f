// What share of the patches that take the big path lies on the rim of the picture, for each prediction layer. Chosen blindly it
// would be the rim's share of all patches, which is printed first.
//   npm run build && node scripts/rim-share.mjs <pictures> <count> <keep ratio,…> <models...>
import { load, openDataSet } from '../dist/index.js'

const [data, count, ratios, ...references] = process.argv.slice(2)
if (references.length === 0) {
  console.error('usage: node scripts/rim-share.mjs <pictures> <count> <keep ratio,…> <models...>')
  process.exit(2)
}
const percent = (share) => `${(100 * share).toFixed(1)} %`
const dataSet = await openDataSet(data, { labels: 'ignored' })
for (const reference of references) {
  const model = await load(reference, { threads: 1 })
  for (const keepRatio of ratios.split(',').map(Number)) {
    const found = new Map()
    let rim
    let left = Number(count)
    for await (const item of dataSet.items()) {
      if (!('source' in item)) continue
      const { grid, steps } = await model.trace(item.source, { keepRatio })
      const { rows, columns } = grid
      const isRim = (patch) => {
        const [row, column] = [Math.floor(patch / columns), patch % columns]
        return row === 0 || column === 0 || row === rows - 1 || column === columns - 1
      }
      rim ??= (2 * (rows + columns) - 4) / (rows * columns)
      for (const { big, afterLayer } of steps) {
        if (!big) continue
        const { chosen, onRim } = found.get(afterLayer) ?? { chosen: 0, onRim: 0 }
        found.set(afterLayer, { chosen: chosen + big.length, onRim: onRim + big.filter(isRim).length })
      }
      left -= 1
      if (left === 0) break
    }
    const shares = [...found].map(
      ([layer, { chosen, onRim }]) => `after ${layer}: ${percent(onRim / chosen)}`,
    )
    console.log(`${reference} at ${keepRatio} (rim ${percent(rim)} of all): ${shares.join(', ')}`)
  }
  await model.dispose()
}
