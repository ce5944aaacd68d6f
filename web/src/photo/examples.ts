import fireEngine from '../../../examples/fire-engine.jpg'
import fly from '../../../examples/fly.jpg'
import hummingbird from '../../../examples/hummingbird.jpg'
import kite from '../../../examples/kite.jpg'
import trafficLight from '../../../examples/traffic-light.jpg'
import yurt from '../../../examples/yurt.jpg'

/** Photographs that come with the page, with who took them (CC BY 2.0). */
export const examples = [
  { name: 'hummingbird', address: hummingbird, author: 'tdlucas5000' },
  { name: 'kite', address: kite, author: 'Andy Morffew' },
  { name: 'yurt', address: yurt, author: 'ADT 04' },
  { name: 'fly', address: fly, author: 'Michael Mueller' },
  { name: 'traffic light', address: trafficLight, author: 'A_Peach' },
  { name: 'fire engine', address: fireEngine, author: 'sponki25' },
] as const
