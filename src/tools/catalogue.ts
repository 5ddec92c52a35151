/** The tools we wrote: everyday services, each with its parameters, what comes back, and whether it changes anything. Knows what there is, not who uses it. */
import type { ToolSpec } from '../protocol/tool.ts';
import { banking } from './catalogue/banking.ts';
import { calendar } from './catalogue/calendar.ts';
import { codeHosting } from './catalogue/code-hosting.ts';
import { contacts } from './catalogue/contacts.ts';
import { crm } from './catalogue/crm.ts';
import { education } from './catalogue/education.ts';
import { events } from './catalogue/events.ts';
import { files } from './catalogue/files.ts';
import { flights } from './catalogue/flights.ts';
import { foodDelivery } from './catalogue/food-delivery.ts';
import { health } from './catalogue/health.ts';
import { helpdesk } from './catalogue/helpdesk.ts';
import { hotels } from './catalogue/hotels.ts';
import { hr } from './catalogue/hr.ts';
import { library } from './catalogue/library.ts';
import { mail } from './catalogue/mail.ts';
import { maps } from './catalogue/maps.ts';
import { music } from './catalogue/music.ts';
import { parcels } from './catalogue/parcels.ts';
import { rail } from './catalogue/rail.ts';
import { realEstate } from './catalogue/real-estate.ts';
import { restaurants } from './catalogue/restaurants.ts';
import { shopping } from './catalogue/shopping.ts';
import { smartHome } from './catalogue/smart-home.ts';
import { tasks } from './catalogue/tasks.ts';
import { weather } from './catalogue/weather.ts';
import { type Chapter, specsOf } from './catalogue/notation.ts';

/** By category, in alphabetical order. */
export const chapters: readonly Chapter[] = [
  banking,
  calendar,
  codeHosting,
  contacts,
  crm,
  education,
  events,
  files,
  flights,
  foodDelivery,
  health,
  helpdesk,
  hotels,
  hr,
  library,
  mail,
  maps,
  music,
  parcels,
  rail,
  realEstate,
  restaurants,
  shopping,
  smartHome,
  tasks,
  weather,
];

export const catalogueTools: readonly ToolSpec[] = chapters.flatMap(specsOf);
