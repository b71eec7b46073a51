package org.mobilefsgan.demo

import android.app.Activity
import android.os.Bundle
import android.view.MenuItem
import android.widget.LinearLayout
import android.widget.RadioButton
import android.widget.RadioGroup
import android.widget.ScrollView
import android.widget.Switch
import android.widget.TextView

/** What the bundle offers, as rows of buttons. A change counts when the live screen comes back. */
class SettingsActivity : Activity() {
    private lateinit var settings: Settings
    private lateinit var rows: LinearLayout

    override fun onCreate(saved: Bundle?) {
        super.onCreate(saved)
        actionBar?.setDisplayHomeAsUpEnabled(true)
        settings = Settings(this)
        rows = LinearLayout(this).apply {
            orientation = LinearLayout.VERTICAL
            setPadding(px(24), px(8), px(24), px(24))
        }
        setContentView(
            ScrollView(this).apply {
                fitsSystemWindows = true
                addView(rows)
            }
        )
        try {
            addChoices((application as DemoApp).engines.offers())
        } catch (error: EngineError) {
            note(getString(R.string.engine_failed, error.message))
        }
        title(R.string.marking)
        rows.addView(
            @Suppress("DEPRECATION")
            Switch(this).apply {
                setText(R.string.badge_switch)
                id = R.id.badge
                minHeight = px(48)
                isChecked = settings.badge
                setOnCheckedChangeListener { _, on -> settings.badge = on }
            }
        )
        note(getString(R.string.badge_off_note))
        choose(
            R.string.save_format,
            SaveFormat.entries,
            settings.saveFormat,
            { it.label }
        ) { settings.saveFormat = it }
        title(R.string.privacy)
        note(getString(R.string.privacy_note))
    }

    private fun addChoices(offers: List<Offer>) {
        val now = settings.choice
        val offer = offers.of(now)
        if (offers.size > 1) {
            choose(R.string.generator, offers, offer, { offers.labelOf(it) }, ::use)
        } else {
            title(R.string.generator)
            note(offer.name)
        }
        val precisions = offer.precisionsOfAll()
        choose(R.string.precision, precisions, now.precision, { it }) {
            settings.choice = settings.choice.copy(precision = it)
        }
        choose(R.string.backend, offer.precisions.keys.toList(), now.backend, { it.label }) {
            settings.choice = settings.choice.copy(backend = it)
        }
        val most = Runtime.getRuntime().availableProcessors()
        choose(
            R.string.threads,
            THREADS.filter {
                it <= maxOf(most, 2)
            },
            now.threads, { it.toString() }
        ) {
            settings.choice = settings.choice.copy(threads = it)
        }
    }

    /** The bundle's name, with its folder where two have one name. */
    private fun List<Offer>.labelOf(offer: Offer): String {
        val isOnly = count { it.name == offer.name } == 1
        return if (isOnly) offer.name else "${offer.name}, ${offer.folder}"
    }

    /** Another bundle may have other precisions, so the rows are made again. */
    private fun use(offer: Offer) {
        val now = settings.choice
        val there = offer.precisionsOfAll()
        val precision = now.precision.takeIf { it in there } ?: there.first()
        settings.choice = now.copy(bundle = offer.folder, precision = precision)
        recreate()
    }

    private fun Offer.precisionsOfAll() = precisions.values.flatten().distinct()

    private fun <T> choose(
        name: Int,
        values: List<T>,
        now: T,
        label: (T) -> String,
        use: (T) -> Unit
    ) {
        title(name)
        val group = RadioGroup(this).apply { orientation = RadioGroup.HORIZONTAL }
        values.forEachIndexed { i, value ->
            val button = RadioButton(this).apply {
                text = label(value)
                id = i + 1
                // Every group numbers its buttons from 1: views saved by number would mix them up.
                isSaveEnabled = false
                minHeight = px(48)
                setPadding(px(4), 0, px(16), 0)
            }
            group.addView(button)
            if (value == now) group.check(i + 1)
        }
        group.setOnCheckedChangeListener { _, id -> use(values[id - 1]) }
        rows.addView(group)
    }

    private fun title(id: Int) = rows.addView(
        TextView(this).apply {
            setText(id)
            textSize = 14f
            setTextColor(getColor(R.color.accent))
            setPadding(0, px(20), 0, px(4))
        }
    )

    private fun note(words: String) = rows.addView(
        TextView(this).apply {
            text = words
            textSize = 14f
            setTextColor(getColor(R.color.quiet))
        }
    )

    private fun px(dp: Int) = (dp * resources.displayMetrics.density).toInt()

    override fun onOptionsItemSelected(item: MenuItem): Boolean {
        if (item.itemId != android.R.id.home) return super.onOptionsItemSelected(item)
        finish()
        return true
    }

    private companion object {
        val THREADS = listOf(1, 2, 4, 6, 8)
    }
}
