# SPDX-License-Identifier: Apache-2.0
"""predict, size, tco, compare, and vet --for: what the models say, as users ask them."""
import pathlib
import tempfile
import unittest

from harness import SOURCE, gpuvet

OFFERS = sorted((SOURCE / "examples" / "offers").glob("*.toml"))
OWN = """id = "mine"
title = "Mine"
sentence = "A small fine-tuning of our own."

[training]
architecture = "llama-3-8b"
method = "lora"
sequence = 1024
global_batch = 32
samples = 1000
job = "1,000 examples of 1,024 tokens"
"""


def outlook(document, workload, machine=0):
    return next(o for o in document["machines"][machine]["outlooks"] if o["workload"] == workload)


class Predict(unittest.TestCase):
    def test_full_fine_tuning_of_70b_on_one_server_is_refused_with_the_arithmetic(self):
        ran = gpuvet("predict", "dgx-a100-80", "--for", "llama3-70b-full", "--what-if", "sharding=zero-2", "--json", "-")
        self.assertEqual(ran.code, 1, ran.err)
        one = outlook(ran.json, "llama3-70b-full")
        self.assertEqual(one["status"], "does not fit")
        for words in ("weights", "gradients", "optimizer", "total"):
            self.assertIn(words, one["because"][0])
        self.assertIsNone(one["job_time"])

    def test_and_fits_sixty_four(self):
        ran = gpuvet("predict", "dgx-a100-80", "--for", "llama3-70b-full", "--what-if",
                     "servers=8,sharding=zero-3,global_batch=256", "--json", "-")
        one = outlook(ran.json, "llama3-70b-full")
        self.assertEqual(one["status"], "fits", one["because"])
        self.assertEqual(ran.json["machines"][0]["gpus"], 64)

    def test_every_figure_stands_inside_its_interval(self):
        ran = gpuvet("predict", "dgx-a100-80", "a100-pcie-80gb:8:pcie", "--json", "-")
        self.assertIn(ran.code, (0, 1, 3), ran.err)
        self.assertEqual(ran.json["schema"], "gpuvet.prediction/1")
        seen = 0
        for machine in ran.json["machines"]:
            for one in machine["outlooks"]:
                self.assertTrue(one["job"], one["workload"])
                for figure in ("rate", "job_time", "memory_peak", "power", "first_token_p95"):
                    if one[figure] is None:
                        continue
                    seen += 1
                    self.assertLess(one[figure]["low"], one[figure]["value"])
                    self.assertLess(one[figure]["value"], one[figure]["high"])
        self.assertGreater(seen, 40)

    def test_nvlink_trains_no_slower_than_pcie(self):
        ran = gpuvet("predict", "a100-sxm4-80gb:8", "a100-pcie-80gb:8:pcie", "--for", "llama3-8b-full", "--json", "-")
        times = [outlook(ran.json, "llama3-8b-full", m)["job_time"]["value"] for m in (0, 1)]
        self.assertLess(times[0], times[1])

    def test_a_workload_of_ones_own_and_a_matrix(self):
        with tempfile.TemporaryDirectory() as folder:
            own = pathlib.Path(folder) / "mine.toml"
            own.write_text(OWN)
            ran = gpuvet("predict", SOURCE / "examples" / "a100-8gpu-nvswitch", "--for", own, "--json", "-")
            self.assertEqual(outlook(ran.json, "mine")["status"], "fits", ran.err)
            own.write_text(OWN.replace('"lora"', '"lorra"'))
            ran = gpuvet("predict", "dgx-a100-80", "--for", own)
            self.assertEqual(ran.code, 2)
            self.assertIn("mine.toml:7", ran.err)

    def test_wrong_questions_say_what_would_be_right(self):
        for args, words in ((("nowhere",), "gpuvet list servers"),
                            (("a100-sxm4-80gb:99",), "GPU:COUNT"),
                            (("dgx-a100-80", "--for", "chess"), "gpuvet list workloads"),
                            (("dgx-a100-80", "--what-if", "colour=red"), "sequence"),
                            (("dgx-a100-80", "--what-if", "sequence"), "KEY=VALUE")):
            ran = gpuvet("predict", *args)
            self.assertEqual(ran.code, 2, args)
            self.assertIn(words, ran.err, args)


class Size(unittest.TestCase):
    def test_more_work_needs_no_fewer_gpus(self):
        def gpus(rate):
            ran = gpuvet("size", "--for", "serve-7b", "--gpu", "a100-sxm4-80gb", "--what-if", f"rate={rate}", "--json", "-")
            return ran.json["workloads"][0]["answers"][0]["gpus"]
        few, many = gpus(2), gpus(8)
        self.assertIsNotNone(few)
        self.assertLess(few, many)

    def test_host_needs_stand_beside_the_articles(self):
        ran = gpuvet("size", "--for", "llama3-8b-lora", "--gpu", "a100-sxm4-80gb", "--json", "-")
        host = ran.json["workloads"][0]["answers"][0]["host"]
        self.assertEqual({h["what"] for h in host}, {"cores", "memory", "drives", "network ports"})
        self.assertTrue(all("article" in h for h in host))


class Tco(unittest.TestCase):
    def test_a_dearer_server_costs_more(self):
        def hourly(price):
            ran = gpuvet("tco", "dgx-a100-80", "--what-if", f"price={price}", "--json", "-")
            self.assertEqual(ran.code, 0, ran.err)
            return ran.json["offers"][0]["costs"][0]["per_useful_hour"]
        cheap, dear = hourly(100000), hourly(200000)
        self.assertLess(cheap["p10"], cheap["p50"])
        self.assertLess(cheap["p50"], cheap["p90"])
        self.assertLess(cheap["p50"], dear["p50"])

    def test_without_a_price_the_answer_is_what_it_is_worth(self):
        ran = gpuvet("tco", "dgx-a100-80", "--json", "-")
        self.assertIn("break_even_price", ran.json["offers"][0])
        self.assertEqual(ran.json["offers"][0]["costs"], [])


class Compare(unittest.TestCase):
    def test_the_articles_five_servers(self):
        ran = gpuvet("compare", *OFFERS, "--for", "llama3-8b-lora,sdxl,serve-13b", "--json", "-")
        self.assertEqual(ran.code, 0, ran.err)
        self.assertEqual(len(ran.json["machines"]), 5)
        lora = ran.json["workloads"][0]
        self.assertEqual(lora["workload"], "llama3-8b-lora")
        self.assertEqual(len(lora["outlooks"]), 5)
        self.assertEqual([p["offer"] for p in lora["ranking"]["order"]].__len__(), 2, "two have prices")
        self.assertEqual(len(lora["break_even"]), 3, "the others say what they are worth")
        text = gpuvet("compare", *OFFERS, "--for", "llama3-8b-lora").out
        for words in ("by speed", "by cost", "XE9680", "ask next"):
            self.assertIn(words, text)
        self.assertTrue(all(len(line) <= 80 for line in text.splitlines()), text)

    def test_where_the_order_turns_is_written_in_units_of_people(self):
        ran = gpuvet("compare", *OFFERS, "--for", "llama3-8b-lora", "--json", "-")
        flips = ran.json["workloads"][0]["ranking"]["flips"]
        self.assertTrue(flips)
        for flip in flips:
            if flip["input"] == "time of the work":
                hours = float(flip["shown"].removesuffix(" h"))
                self.assertAlmostEqual(hours, flip["at"] / 3600, delta=0.01 * hours)
        text = " ".join(gpuvet("compare", *OFFERS, "--for", "llama3-8b-lora").out.split())
        for flip in flips[:3]:
            self.assertIn("= " + flip["shown"], text)
            self.assertNotIn(str(flip["at"]), text)

    def test_the_articles_order_stands_beside_ours_with_sources(self):
        ran = gpuvet("compare", *OFFERS, "--for", "llama3-8b-lora,sdxl,serve-13b", "--json", "-")
        lora, sdxl, serve = ran.json["workloads"]
        by = {a["by"]: a for a in lora["article"]}
        self.assertEqual(set(by), {"time", "cost"})
        time = by["time"]
        self.assertEqual([p["value"] for p in time["order"]], [4.2, 4.8, 5.1, 6.9, 9.7])
        self.assertEqual(time["pairs"], 10)
        seconds = {o["machine"]: o["job_time"]["value"] for o in lora["outlooks"]}
        for d in time["differences"]:
            ours = seconds[d["article_better"]] / seconds[d["article_worse"]]
            self.assertGreater(ours, 0.994, "only pairs that ours does not order alike")
            self.assertTrue(d["why"], d)
            self.assertGreaterEqual(len(d["sources"]), 2)
            self.assertTrue(all(s["found"] and s["verdict"] for s in d["sources"]))
        # Six GPUs of two kinds before eight cards: the article's alone.
        self.assertTrue(any("SYS-420GP" in d["article_better"] and "SR670" in d["article_worse"]
                            for d in time["differences"]))
        self.assertEqual([a["by"] for a in sdxl["article"]][0], "time")
        self.assertEqual(serve["article"], [], "the article orders nothing there")
        text = " ".join(gpuvet("compare", *OFFERS, "--for", "llama3-8b-lora").out.split())
        for words in ("the article's order by time", "C065 (contradicted)", "5.1 h before 6.9 h"):
            self.assertIn(words, text)
        other = gpuvet("compare", "dgx-a100-80", "a100-pcie-80gb:8", "--for", "llama3-8b-lora", "--json", "-")
        self.assertEqual(other.json["workloads"][0]["article"], [])


class Vet(unittest.TestCase):
    def test_a_fit_rests_on_the_prediction_too(self):
        ran = gpuvet("vet", SOURCE / "examples" / "a100-8gpu-nvswitch", "--for", "serve-13b", "--json", "-")
        fit = next(f for f in ran.json["fits"] if f["workload"] == "serve-13b")
        self.assertEqual(fit["status"], "unfit")
        self.assertTrue(any("predicted" in b for b in fit["because"]), fit["because"])
        self.assertTrue(any(o["id"] == "workload.outlook" and o["provenance"]["how"] == "modelled"
                            for o in ran.json["observations"]))


if __name__ == "__main__":
    unittest.main()
