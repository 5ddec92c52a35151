/** Weather, and alerts about it. */
import { type Chapter, amount, choice, day, flag, id, like, many, measure, moment, read, record, text, whole, write } from './notation.ts';

const place = text('Town or coordinates.', 'Bergen');
const conditions = record({
  place,
  at: moment('When.'),
  celsius: measure('Temperature.', 6.5),
  wind_kmh: amount('Wind.', 22),
  humidity_percent: whole('Humidity.', 81, 0, 100),
  sky: choice('Sky.', 'rain', 'clear', 'clouds', 'snow', 'fog', 'storm'),
});
const alert_id = id('alert', 'alr_9');
const alert = record({
  alert_id,
  place,
  about: choice('What it warns of.', 'frost', 'storm', 'heat', 'flood', 'snow'),
  channel: choice('How the warning is sent.', 'push', 'email', 'sms'),
  active: flag('Whether it is on.'),
});

export const weather: Chapter = {
  category: 'weather',
  tools: {
    get_current_weather: read('Shows the weather of a place now.', { place }, conditions),
    get_weather_forecast: read(
      'Forecasts the weather of the next days.',
      { place, days: whole('Number of days.', 3, 1, 14) },
      many(
        record({
          on: day('Day.'),
          lowest: measure('Lowest temperature in °C.', 2),
          highest: measure('Highest temperature in °C.', 9.5),
          rain_percent: whole('Chance of rain.', 70, 0, 100),
          sky: choice('Sky.', 'rain', 'clear', 'clouds', 'snow', 'fog', 'storm'),
        }),
      ),
    ),
    get_past_weather: read('Shows the weather of a place on a past day.', { place, on: day('Day.', '2027-02-01') }, conditions),
    get_air_quality: read(
      'Shows how clean the air of a place is.',
      { place },
      record({
        place,
        index: whole('0 is clean, 500 is dangerous.', 38, 0, 500),
        main_pollutant: choice('Worst part.', 'pm25', 'pm10', 'ozone', 'no2'),
      }),
    ),
    get_sun_times: read(
      'Tells when the sun rises and sets.',
      { place, on: day('Day.') },
      record({ rises: moment('Sunrise.', '2027-03-15T05:48:00Z'), sets: moment('Sunset.', '2027-03-15T17:31:00Z') }),
    ),
    list_weather_alerts: read('Lists the weather alerts that were ordered.', { 'place?': place }, many(alert)),
    create_weather_alert: write(
      'Orders a weather alert for a place.',
      {
        place,
        about: choice('Weather to warn of.', 'frost', 'storm', 'heat', 'flood', 'snow'),
        channel: choice('How the warning is sent.', 'push', 'email', 'sms'),
      },
      alert,
      'list_weather_alerts',
    ),
    stop_weather_alert: write('Ends a weather alert.', { alert_id }, like(alert, { active: false }), 'list_weather_alerts'),
  },
};
