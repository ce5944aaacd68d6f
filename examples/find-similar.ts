// Finds the photos that look like one. With Node from 22.18:
//   node examples/find-similar.ts examples/hummingbird.jpg examples/
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { embedMany, load } from 'blvit'

const [wanted = 'examples/hummingbird.jpg', folder = 'examples'] = process.argv.slice(2)
const names = (await readdir(folder)).filter((name) => /\.(jpe?g|png|webp)$/i.test(name))
const pictures = names.map((name) => ({ name, source: join(folder, name) }))

const model = await load('vit-tiny')
const query = await model.embed(wanted, { normalize: true })

const likeness = (vector: Float32Array) => vector.reduce((sum, value, i) => sum + value * (query[i] ?? 0), 0)
const ranked: { name: string; cosine: number }[] = []
for await (const picture of embedMany(model, pictures, { normalize: true }))
  if ('vector' in picture) ranked.push({ name: picture.name, cosine: likeness(picture.vector) })
await model.dispose()

ranked.sort((a, b) => b.cosine - a.cosine)
for (const { name, cosine } of ranked.slice(0, 5)) console.log(cosine.toFixed(3), name)
