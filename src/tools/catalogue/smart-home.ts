/** Lights, heating, locks, scenes. */
import {
  type Chapter,
  amount,
  choice,
  clock,
  flag,
  id,
  like,
  many,
  measure,
  moment,
  read,
  record,
  text,
  whole,
  write,
} from './notation.ts';

const device_id = id('device', 'dev_12');
const device = record({
  device_id,
  name: text('Name.', 'Reading lamp'),
  room: text('Room.', 'living room'),
  kind: choice('Kind of device.', 'light', 'thermostat', 'lock', 'blind', 'sensor', 'plug'),
  on: flag('Whether it is on, or locked, or open.'),
  level_percent: whole('Brightness, or how far open.', 60, 0, 100),
});
const thermostat = record({
  device_id,
  room: text('Room.', 'living room'),
  celsius: measure('Temperature now.', 20.5),
  target: measure('Temperature wanted.', 21),
});
const routine_id = id('routine', 'rou_4');
const routine = record({
  routine_id,
  name: text('Name.', 'Good night'),
  at: clock('Time of day.', '22:45'),
  steps: many(text('What it does.', 'all lights off')),
  active: flag('Whether it is on.'),
});

export const smartHome: Chapter = {
  category: 'smart_home',
  tools: {
    list_devices: read(
      'Lists the devices at home.',
      {
        'room?': text('Room.', 'living room'),
        'kind?': choice('Kind of device.', 'light', 'thermostat', 'lock', 'blind', 'sensor', 'plug'),
      },
      many(device),
    ),
    get_device_state: read('Shows what a device is doing.', { device_id }, device),
    get_room_climate: read('Shows temperature and target of a room.', { room: text('Room.', 'living room') }, thermostat),
    get_energy_use: read(
      'Tells how much power was used.',
      { period: choice('Period that is counted.', 'today', 'week', 'month'), 'device_id?': device_id },
      record({ kilowatt_hours: amount('Energy.', 7.4), cost: amount('Price in EUR.', 2.1) }),
    ),
    switch_device: write(
      'Switches a device on or off.',
      { device_id, on: flag('True for on, false for off.') },
      device,
      'get_device_state',
    ),
    set_device_level: write(
      'Dims a light or opens a blind in part.',
      { device_id, level_percent: whole('Level in percent.', 60, 0, 100) },
      device,
      'get_device_state',
    ),
    set_room_temperature: write(
      'Sets the temperature wanted in a room.',
      { room: text('Room.', 'living room'), target: measure('Temperature in °C, 5 to 30.', 21) },
      thermostat,
      'get_room_climate',
    ),
    lock_door: write(
      'Locks or unlocks a door.',
      { device_id, locked: flag('True locks, false unlocks.') },
      like(device, { name: 'Front door', kind: 'lock', room: 'hall' }),
      'get_device_state',
    ),
    list_routines: read('Lists the routines: what happens at home by itself.', {}, many(routine)),
    create_routine: write(
      'Creates a routine: lets something happen at home every day.',
      {
        name: text('Name.', 'Good night'),
        at: clock('Time of day.', '22:45'),
        steps: many(text('What it does.', 'all lights off'), 'What happens, in order.'),
      },
      routine,
      'list_routines',
    ),
    pause_routine: write(
      'Switches a routine on or off.',
      { routine_id, active: flag('True for on, false for off.', false) },
      like(routine, { active: false }),
      'list_routines',
    ),
    get_door_log: read(
      'Shows who opened a door.',
      { device_id, 'most?': whole('Entries at most.', 20, 1, 200) },
      many(record({ at: moment('When.'), who: text('Who.', 'Mira') })),
    ),
  },
};
