import type { Lettering } from '../../drawing/lettering.js'

/** More rows can't be read; of more classes those that are confused most are shown. */
const mostClasses = 40
const cell = 34
const gap = 8
const size = 12
const titleSize = 16
const longestName = 180
/** Right ones in blue, wrong ones in orange: told apart by colour-blind readers too (Okabe and Ito). */
const colours = { right: '#0072b2', wrong: '#d55e00', text: '#222222', quiet: '#777777', grid: '#dddddd' }

/** The classes that take part in most confusions, in class order. */
function shownClasses(confusion: readonly (readonly number[])[]): number[] {
  const wrong = confusion.map((row, at) =>
    row.reduce((sum, count, other) => sum + (other === at ? 0 : count + (confusion[other]?.[at] ?? 0)), 0),
  )
  const order = confusion.map((_, at) => at).sort((a, b) => (wrong[b] ?? 0) - (wrong[a] ?? 0) || a - b)
  return order.slice(0, mostClasses).sort((a, b) => a - b)
}

/**
 * How often pictures of each class (rows) were taken for each class (columns), as a whole SVG document. The darker a cell,
 * the larger its share of the row.
 */
export function drawConfusion(
  classes: readonly string[],
  confusion: readonly (readonly number[])[],
  lettering: Lettering,
): string {
  const shown = shownClasses(confusion)
  const name = (at: number) => lettering.fit(classes[at] ?? '', { size, width: longestName })
  const nameWidth = Math.ceil(Math.max(...shown.map((at) => lettering.width(name(at), { size }))))
  const left = nameWidth + 2 * gap
  const top = 2 * titleSize + nameWidth + 4 * gap
  const width = Math.max(left + shown.length * cell + gap, 420)
  const height = top + shown.length * cell + gap
  const which =
    shown.length === classes.length
      ? ''
      : `; the ${shown.length} of ${classes.length} classes that are confused most`
  const title = 'Pictures that the head had not learned from'
  const words = `rows: what they are; columns: what was said${which}`
  const marks = [
    lettering.draw(
      title,
      { x: gap, y: gap + titleSize },
      { size: titleSize, heavy: true, colour: colours.text },
    ),
    lettering.draw(words, { x: gap, y: 2 * gap + titleSize + size }, { size, colour: colours.quiet }),
  ]
  for (const [row, truth] of shown.entries()) {
    const y = top + row * cell
    const middle = y + cell / 2 + 0.35 * size
    marks.push(lettering.draw(name(truth), { x: gap, y: middle }, { size, colour: colours.text }))
    const heading = lettering.draw(name(truth), { x: 0, y: 0 }, { size, colour: colours.text })
    marks.push(
      `<g transform="translate(${left + row * cell + cell / 2 + 0.35 * size} ${top - gap}) rotate(-90)">${heading}</g>`,
    )
    const total = (confusion[truth] ?? []).reduce((a, b) => a + b, 0)
    for (const [column, said] of shown.entries()) {
      const count = confusion[truth]?.[said] ?? 0
      const share = total === 0 ? 0 : count / total
      const colour = truth === said ? colours.right : colours.wrong
      const x = left + column * cell
      marks.push(
        `<rect x="${x}" y="${y}" width="${cell}" height="${cell}" fill="${colour}" fill-opacity="${share.toFixed(3)}" stroke="${colours.grid}"/>`,
      )
      if (count === 0) continue
      const text = lettering.fit(`${count}`, { size, width: cell })
      const at = { x: x + (cell - lettering.width(text, { size })) / 2, y: middle }
      marks.push(lettering.draw(text, at, { size, colour: share > 0.5 ? '#ffffff' : colours.text }))
    }
  }
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}"><rect width="${width}" height="${height}" fill="#ffffff"/>${marks.join('')}</svg>\n`
}
