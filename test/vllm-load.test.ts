import { expect, test } from 'vitest';
import { readLoad } from '../src/gpu/engines/vllm/load.ts';

const text = `# HELP vllm:num_requests_running Number of requests in model execution batches.
# TYPE vllm:num_requests_running gauge
vllm:num_requests_running{engine="0",model_name="base"} 12.0
vllm:num_requests_running{engine="1",model_name="base"} 3.0
vllm:num_requests_waiting{engine="0",model_name="base"} 4.0
vllm:num_requests_waiting_by_reason{engine="0",model_name="base",reason="capacity"} 4.0
vllm:kv_cache_usage_perc{engine="0",model_name="base"} 0.25
vllm:kv_cache_usage_perc{engine="1",model_name="base"} 0.75
vllm:prefix_cache_queries_total{engine="0",model_name="base"} 2513.0
vllm:prefix_cache_hits_total{engine="0",model_name="base"} 8.96e+02
vllm:prefix_cache_hits_created{engine="0",model_name="base"} 1.795249743419e+09
vllm:num_preemptions_total{engine="0",model_name="base"} 2.0
vllm:admission_rejections_total{model_name="base",reason="max_num_queued_reqs"} 1.0
vllm:admission_rejections_total{model_name="base",reason="max_num_queued_tokens"} 2.0
vllm:lora_requests_info{max_lora="3",running_lora_adapters="a}b",waiting_lora_adapters=""} 1.795250442419367e+09
vllm:broken{engine="0"} NaN
python_gc_objects_collected_total{generation="0"} 12.0
`;

test('a reading sums counts over engines and takes the fullest cache', () => {
  expect(readLoad(text)).toEqual({
    running: 15,
    waiting: 4,
    cacheUse: 0.75,
    preemptions: 2,
    rejections: 3,
    promptTokens: 2513,
    cachedTokens: 896,
    adapters: 3,
  });
});

test('a server without adapters tells of no room for them', () => {
  expect(readLoad(text.replace(/^vllm:lora.*$/m, ''))).not.toHaveProperty('adapters');
});

test.each(['', '<html></html>', 'python_gc 1', 'vllm:num_requests_running{} x'])('%j is no reading', (other) => {
  expect(readLoad(other)).toBeUndefined();
});
